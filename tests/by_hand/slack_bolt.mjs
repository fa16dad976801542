// An unmodified Bolt, Web API client and Socket Mode client for Node.js before the simulated Slack, by its control
// interface alone.
//
// They are no part of the project, so this is run by hand, from the folder of the repository:
//
//     npm install --prefix /tmp/bolt @slack/bolt @slack/web-api @slack/socket-mode
//     NODE_PATH=/tmp/bolt/node_modules node tests/by_hand/slack_bolt.mjs
//
// PYTHON names the interpreter of the simulator, if it is not `python`. Each line is something that held; the first
// surprise ends the run.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import readline from 'node:readline';

const require = createRequire(import.meta.url);
const { App, LogLevel } = require('@slack/bolt');
const { SocketModeClient } = require('@slack/socket-mode');
const { WebClient } = require('@slack/web-api');

const simulator = spawn(process.env.PYTHON ?? 'python', ['-m', 'tests.slack.simulator'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const facts = JSON.parse(
  await new Promise((resolve) => readline.createInterface({ input: simulator.stdout }).once('line', resolve)),
);
const address = { slackApiUrl: facts.api_url };
const { images } = facts.channels;

async function look(name, asked = {}) {
  return (await fetch(`${facts.url}/control/${name}?${new URLSearchParams(asked)}`)).json();
}

async function order(name, asked = {}) {
  const answer = await fetch(`${facts.url}/control/${name}`, {
    method: 'POST',
    body: JSON.stringify(asked),
    headers: { 'content-type': 'application/json' },
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(`${name}: ${JSON.stringify(body)}`);
  return body;
}

async function until(what, find) {
  const end = Date.now() + 10_000;
  while (Date.now() < end) {
    const found = await find();
    if (found) {
      console.log(`ok: ${what}`);
      return found;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited in vain: ${what}`);
}

const plain = (text) => ({ type: 'plain_text', text });
const button = { type: 'button', action_id: 'why', text: plain('Why'), style: 'danger', value: '1' };
const table = {
  type: 'table',
  rows: [[{ type: 'raw_text', text: 'a' }], [{ type: 'raw_text', text: 'b' }]],
  column_settings: [{ align: 'right', is_wrapped: true }],
};
const reason = { type: 'plain_text_input', action_id: 'reason' };
const modal = {
  type: 'modal',
  callback_id: 'why',
  title: plain('Why?'),
  submit: plain('Go'),
  blocks: [{ type: 'input', block_id: 'reason', label: plain('Reason'), element: reason }],
};
const home = { type: 'home', blocks: [{ type: 'section', text: { type: 'mrkdwn', text: 'home' } }] };

const heard = [];
const app = new App({
  token: facts.bot_token,
  appToken: facts.app_token,
  socketMode: true,
  logLevel: LogLevel.WARN,
  clientOptions: address,
});
app.message('!card', ({ say }) => say({ text: 'card', blocks: [table, { type: 'actions', elements: [button] }] }));
app.message(({ message }) => { heard.push(message.subtype ?? 'message'); });
app.event('app_mention', () => { heard.push('mention'); });
app.event('app_home_opened', ({ event, client }) => client.views.publish({ user_id: event.user, view: home }));
app.action('why', async ({ ack, body, client }) => {
  await ack();
  await client.views.open({ trigger_id: body.trigger_id, view: modal });
});
app.view('why', async ({ ack, view, body, client }) => {
  const { value } = view.state.values.reason.reason;
  if (value.length < 3) return ack({ response_action: 'errors', errors: { reason: 'say more' } });
  await ack();
  return client.chat.postEphemeral({ channel: images, user: body.user.id, text: `thanks: ${value}` });
});
app.command('/slipway', async ({ ack, respond, command }) => {
  await ack();
  await respond(`you said ${command.text}`);
});
app.shortcut('launch', async ({ ack }) => { await ack(); heard.push('shortcut'); });
app.shortcut('about', async ({ ack, body }) => { await ack(); heard.push(`about ${body.message.text}`); });
app.error(async (error) => { throw error; });
await app.start();

const sees = async (user, text) =>
  (await look('ephemerals', { user })).messages.some((message) => message.text === text);

await order('post', { user: 'alice', channel: images, text: '!card' });
const card = await until('a message is heard, and answered with a table and a button', async () =>
  (await look('messages', { channel: images })).messages.find((message) => message.text === 'card'));
await order('press', { user: 'bob', channel: images, ts: card.ts, button: 'Why' });
const view = await until('a press opens a modal', async () => (await look('modals', { user: 'bob' })).views[0]);
await until('a modal tells at its field what is wrong', async () =>
  (await order('submit', { user: 'bob', view: view.id, values: { reason: 'x' } })).errors.reason === 'say more');
await until('and closes', async () =>
  (await order('submit', { user: 'bob', view: view.id, values: { reason: 'because' } })).outcome === 'closed');
await until('only one person sees an answer', () => sees('bob', 'thanks: because'));
await order('command', { user: 'carol', command: '/slipway', text: 'status' });
await until('a slash command is answered by its response_url', () => sees('carol', 'you said status'));
await order('shortcut', { user: 'alice', callback_id: 'launch' });
await order('message_shortcut', { user: 'alice', channel: images, ts: card.ts, callback_id: 'about' });
await until('shortcuts are heard', () => heard.includes('shortcut') && heard.includes('about card'));
await order('open_home', { user: 'alice' });
await until('a Home tab is published', async () => (await look('home', { user: 'alice' })).view);
const root = await order('post', { user: 'alice', channel: images, text: 'root' });
await order('post', { user: 'alice', channel: images, text: 'both', thread: root.ts, broadcast: true });
await order('edit', { user: 'alice', channel: images, ts: root.ts, text: 'edited' });
await order('delete', { user: 'alice', channel: images, ts: root.ts });
await order('post', { user: 'eve', channel: 'shared', text: 'hey @slipway status' });
await until('a broadcast, edits, a tombstone and a mention are heard', () =>
  heard.includes('thread_broadcast') && heard.includes('mention')
  && heard.filter((kind) => kind === 'message_changed').length === 3);

const web = new WebClient(facts.bot_token, address);
const validate = (blocks) => web.apiCall('blocks.validate', { blocks: JSON.stringify(blocks) });
await until('blocks are validated', async () => (await validate([table])).ok);
await until('and refused, with where', () =>
  validate([{ type: 'section' }]).catch((error) => error.data.errors[0].pointer === '/0'));
await until('a file is uploaded', async () =>
  (await web.files.uploadV2({ channel_id: images, filename: 'a.txt', content: 'hello' })).ok);
await order('fault', { kind: 'rate_limit', method: 'chat.postMessage', retry_after: 1 });
await until('a rate limit is waited out', async () =>
  (await web.chat.postMessage({ channel: images, text: 'after a 429' })).ok);
for (const why of ['warning', 'refresh_requested']) {
  const { opened } = await order('disconnect', { reason: why });
  await until(`a socket comes back after ${why}`, async () => {
    const state = await look('state');
    return state.opened > opened && state.connections > 0;
  });
}
const before = heard.length;
await order('post', { user: 'alice', channel: images, text: 'still there?' });
await until('and hears', () => heard.length > before);
await app.stop();
await until('no socket is left after Bolt', async () => (await look('state')).connections === 0);

const told = [];
const socket = new SocketModeClient({ appToken: facts.app_token, clientOptions: address, logLevel: LogLevel.WARN });
socket.on('slack_event', async ({ ack, body }) => { await ack(); told.push(body.event?.type ?? body.type); });
await socket.start();
await until('one socket is there', async () => (await look('state')).connections === 1);
const expected = [];
for (const [name, asked, ...kinds] of [
  ['archive', { channel: images }, 'message', 'channel_archive'],
  ['unarchive', { channel: images }, 'channel_unarchive'],
  ['rename', { channel: images, name: 'pictures' }, 'channel_rename'],
  ['leave', { user: 'carol', channel: images }, 'member_left_channel'],
  ['join', { user: 'carol', channel: images }, 'member_joined_channel'],
  ['kick', { channel: images }, 'channel_left', 'member_left_channel'],
  ['invite', { channel: images }, 'member_joined_channel'],
]) {
  await order(name, asked);
  expected.push(...kinds);
  await until(`${name} is heard`, () => JSON.stringify(told) === JSON.stringify(expected));
}
await socket.disconnect();
await until('no socket is left', async () => (await look('state')).connections === 0);
simulator.kill('SIGTERM');
process.exit(0);
