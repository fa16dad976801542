BEGIN TRANSACTION;
CREATE TABLE application_versions (
    version_id TEXT NOT NULL PRIMARY KEY,
    version_name TEXT NOT NULL UNIQUE,
    version_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL);
INSERT INTO "application_versions" VALUES('48dd133f-3c13-4323-8ed8-c54907d23fa8','1',1795960719000,1795960719000,'slipway');
CREATE TABLE dbos_migrations (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO "dbos_migrations" VALUES(125);
CREATE TABLE notifications (
    message_uuid TEXT NOT NULL DEFAULT (hex(randomblob(16))) PRIMARY KEY,
    destination_uuid TEXT NOT NULL,
    topic TEXT,
    message TEXT NOT NULL,
    created_at_epoch_ms INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000), "serialization" TEXT DEFAULT NULL, "consumed" BOOLEAN NOT NULL DEFAULT FALSE, consumed_by_function_id INTEGER,
    FOREIGN KEY (destination_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE "operation_outputs" (
    workflow_uuid TEXT NOT NULL,
    function_id INTEGER NOT NULL,
    function_name TEXT NOT NULL DEFAULT '',
    output TEXT,
    error TEXT,
    child_workflow_id TEXT,
    started_at_epoch_ms INTEGER,
    completed_at_epoch_ms INTEGER,
    serialization TEXT,
    application_name TEXT DEFAULT NULL,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    PRIMARY KEY (workflow_uuid, function_id)
);
INSERT INTO "operation_outputs" VALUES('hear:console:e1',1,'answer','{"card": {"tone": "waiting", "title": "op-prmt promote: waits for 1 approval", "text": "When it is done: 43.20261118.0 is latest of Fedora-Cloud-43-x64.", "fields": [{"label": "Asked by", "value": "Alice"}, {"label": "Latest", "value": "43.20261111.0 \u2192 43.20261118.0"}, {"label": "Published", "value": "2026-11-18"}, {"label": "End of life", "value": "2027-12-18"}, {"label": "Needs", "value": "1 of Bob (role releng)"}, {"label": "Open until", "value": "2026-11-21 12:00 UTC"}, {"label": "Plan", "value": "`2bab3bec`"}], "tables": [{"columns": ["", "Step", "Why"], "rows": [["1", "promote 43.20261118.0 of Fedora-Cloud-43-x64", "it is the newest candidate"]], "title": "Plan"}], "notes": ["Approve: `!approve op-prmt 2bab3bec`   Reject: `!reject op-prmt REASON`"], "buttons": [{"choice": "approve", "label": "Approve", "operation_id": "op-prmt", "digest_prefix": "2bab3bec", "authentic": true}, {"choice": "reject", "label": "Reject", "operation_id": "op-prmt", "digest_prefix": "2bab3bec", "authentic": true}], "shortcuts": [], "mentions": [], "private_to": null, "fleeting": true}, "room": {"platform": "console", "id": "console"}, "thread": null, "operation_id": "op-prmt", "start": false}',NULL,NULL,1795960719366,1795960720733,'slipway_json','slipway',1795960720000);
INSERT INTO "operation_outputs" VALUES('hear:console:e1',2,'say','"m1"',NULL,NULL,1795960720750,1795960720810,'slipway_json','slipway',1795960720000);
INSERT INTO "operation_outputs" VALUES('hear:console:e2',1,'answer','{"card": null, "room": {"platform": "console", "id": "console"}, "thread": "m1", "operation_id": "op-prmt", "start": true}',NULL,NULL,1795960720856,1795960720970,'slipway_json','slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('hear:console:e2',2,'do',NULL,NULL,'do:op-prmt',1795960721038,1795960721051,NULL,'slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('do:op-prmt',1,'begin','"go"',NULL,NULL,1795960721103,1795960721129,'slipway_json','slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('do:op-prmt',2,'step-1','"done"',NULL,NULL,1795960721133,1795960721221,'slipway_json','slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('do:op-prmt',3,'finish','"done"',NULL,NULL,1795960721226,1795960721293,'slipway_json','slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('do:op-prmt',4,'report','"done"',NULL,NULL,1795960721301,1795960721361,'slipway_json','slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('hear:console:e3',1,'answer','{"card": {"tone": "waiting", "title": "op-back rollback: waits for 1 approval", "text": "When it is done: 43.20261111.0 is latest of Fedora-Cloud-43-x64 again.", "fields": [{"label": "Asked by", "value": "Alice"}, {"label": "Latest", "value": "43.20261118.0 \u2192 43.20261111.0"}, {"label": "Needs", "value": "1 of Alice, Bob (role releng)"}, {"label": "Open until", "value": "2026-11-21 12:00 UTC"}, {"label": "Plan", "value": "`85f35c9a`"}], "tables": [{"columns": ["", "Step", "Why"], "rows": [["1", "take 43.20261118.0 of Fedora-Cloud-43-x64 back from latest", "it is latest, and is to be taken back"]], "title": "Plan"}], "notes": ["\u26a0 43.20261118.0 will be promoted again only when somebody names it.", "Approve: `!approve op-back 85f35c9a`   Reject: `!reject op-back REASON`"], "buttons": [{"choice": "approve", "label": "Approve", "operation_id": "op-back", "digest_prefix": "85f35c9a", "authentic": true}, {"choice": "reject", "label": "Reject", "operation_id": "op-back", "digest_prefix": "85f35c9a", "authentic": true}], "shortcuts": [], "mentions": [], "private_to": null, "fleeting": true}, "room": {"platform": "console", "id": "console"}, "thread": null, "operation_id": "op-back", "start": false}',NULL,NULL,1795960721375,1795960721470,'slipway_json','slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('hear:console:e3',2,'say','"m3"',NULL,NULL,1795960721476,1795960721512,'slipway_json','slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('hear:console:e4',1,'answer','{"card": null, "room": {"platform": "console", "id": "console"}, "thread": "m3", "operation_id": "op-back", "start": true}',NULL,NULL,1795960721533,1795960721623,'slipway_json','slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('hear:console:e4',2,'do',NULL,NULL,'do:op-back',1795960721627,1795960721631,NULL,'slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('do:op-back',1,'begin','"go"',NULL,NULL,1795960721641,1795960721664,'slipway_json','slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('do:op-back',2,'step-1','"done"',NULL,NULL,1795960721667,1795960721720,'slipway_json','slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('do:op-back',3,'finish','"done"',NULL,NULL,1795960721723,1795960721733,'slipway_json','slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('do:op-back',4,'report','"done"',NULL,NULL,1795960721736,1795960721761,'slipway_json','slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('hear:console:e5',1,'answer','{"card": {"tone": "waiting", "title": "op-pend promote: waits for 1 approval", "text": "When it is done: 43.20261118.0 is latest of Fedora-Cloud-43-Arm64.", "fields": [{"label": "Asked by", "value": "Alice"}, {"label": "Latest in eastus and westeurope", "value": "43.20261111.0 \u2192 43.20261118.0"}, {"label": "Latest in southeastasia", "value": "43.20261104.0 \u2192 43.20261118.0"}, {"label": "Published", "value": "2026-11-18"}, {"label": "End of life", "value": "2027-12-18"}, {"label": "Needs", "value": "1 of Bob (role releng)"}, {"label": "Open until", "value": "2026-11-21 12:00 UTC"}, {"label": "Plan", "value": "`505c2b62`"}], "tables": [{"columns": ["", "Step", "Why"], "rows": [["1", "promote 43.20261118.0 of Fedora-Cloud-43-Arm64", "it is the newest candidate"]], "title": "Plan"}], "notes": ["Approve: `!approve op-pend 505c2b62`   Reject: `!reject op-pend REASON`"], "buttons": [{"choice": "approve", "label": "Approve", "operation_id": "op-pend", "digest_prefix": "505c2b62", "authentic": true}, {"choice": "reject", "label": "Reject", "operation_id": "op-pend", "digest_prefix": "505c2b62", "authentic": true}], "shortcuts": [], "mentions": [], "private_to": null, "fleeting": true}, "room": {"platform": "console", "id": "console"}, "thread": null, "operation_id": "op-pend", "start": false}',NULL,NULL,1795960721775,1795960721802,'slipway_json','slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('hear:console:e5',2,'say','"m5"',NULL,NULL,1795960721806,1795960721823,'slipway_json','slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('hear:console:e6',1,'answer','{"card": {"tone": "waiting", "title": "op-refu rollback: waits for 1 approval", "text": "When it is done: 42.20260919.0 is latest of Fedora-Cloud-42-x64 again.", "fields": [{"label": "Asked by", "value": "Alice"}, {"label": "Latest", "value": "42.20261003.0 \u2192 42.20260919.0"}, {"label": "Needs", "value": "1 of Alice, Bob (role releng)"}, {"label": "Open until", "value": "2026-11-21 12:00 UTC"}, {"label": "Plan", "value": "`7b48a0e2`"}], "tables": [{"columns": ["", "Step", "Why"], "rows": [["1", "take 42.20261003.0 of Fedora-Cloud-42-x64 back from latest", "it is latest, and is to be taken back"]], "title": "Plan"}], "notes": ["\u26a0 42.20261003.0 will be promoted again only when somebody names it.", "Approve: `!approve op-refu 7b48a0e2`   Reject: `!reject op-refu REASON`"], "buttons": [{"choice": "approve", "label": "Approve", "operation_id": "op-refu", "digest_prefix": "7b48a0e2", "authentic": true}, {"choice": "reject", "label": "Reject", "operation_id": "op-refu", "digest_prefix": "7b48a0e2", "authentic": true}], "shortcuts": [], "mentions": [], "private_to": null, "fleeting": true}, "room": {"platform": "console", "id": "console"}, "thread": null, "operation_id": "op-refu", "start": false}',NULL,NULL,1795960721832,1795960721859,'slipway_json','slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('hear:console:e6',2,'say','"m6"',NULL,NULL,1795960721865,1795960721896,'slipway_json','slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('hear:console:e7',1,'answer','{"card": null, "room": {"platform": "console", "id": "console"}, "thread": "m6", "operation_id": "op-refu", "start": true}',NULL,NULL,1795960721921,1795960721960,'slipway_json','slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('hear:console:e7',2,'do',NULL,NULL,'do:op-refu',1795960721975,1795960721979,NULL,'slipway',1795960721000);
INSERT INTO "operation_outputs" VALUES('do:op-refu',1,'begin','"go"',NULL,NULL,1795960721996,1795960722061,'slipway_json','slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('do:op-refu',2,'step-1','"failed"',NULL,NULL,1795960722065,1795960722105,'slipway_json','slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('do:op-refu',3,'finish','"done"',NULL,NULL,1795960722109,1795960722123,'slipway_json','slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('do:op-refu',4,'report','"done"',NULL,NULL,1795960722129,1795960722158,'slipway_json','slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('hear:console:e8',1,'answer','{"card": {"tone": "waiting", "title": "op-aged rollback: waits for 1 approval", "text": "When it is done: 42.20260919.0 is latest of Fedora-Cloud-42-x64 again.", "fields": [{"label": "Asked by", "value": "Alice"}, {"label": "Latest", "value": "42.20261003.0 \u2192 42.20260919.0"}, {"label": "Needs", "value": "1 of Alice, Bob (role releng)"}, {"label": "Open until", "value": "2026-11-21 12:00 UTC"}, {"label": "Plan", "value": "`3962cdd9`"}], "tables": [{"columns": ["", "Step", "Why"], "rows": [["1", "take 42.20261003.0 of Fedora-Cloud-42-x64 back from latest", "it is latest, and is to be taken back"]], "title": "Plan"}], "notes": ["\u26a0 42.20261003.0 will be promoted again only when somebody names it.", "Approve: `!approve op-aged 3962cdd9`   Reject: `!reject op-aged REASON`"], "buttons": [{"choice": "approve", "label": "Approve", "operation_id": "op-aged", "digest_prefix": "3962cdd9", "authentic": true}, {"choice": "reject", "label": "Reject", "operation_id": "op-aged", "digest_prefix": "3962cdd9", "authentic": true}], "shortcuts": [], "mentions": [], "private_to": null, "fleeting": true}, "room": {"platform": "console", "id": "console"}, "thread": null, "operation_id": "op-aged", "start": false}',NULL,NULL,1795960722170,1795960722234,'slipway_json','slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('hear:console:e8',2,'say','"m8"',NULL,NULL,1795960722239,1795960722263,'slipway_json','slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('hear:console:e9',1,'answer','{"card": null, "room": {"platform": "console", "id": "console"}, "thread": "m8", "operation_id": "op-aged", "start": true}',NULL,NULL,1795960722286,1795960722332,'slipway_json','slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('hear:console:e9',2,'do',NULL,NULL,'do:op-aged',1795960722335,1795960722338,NULL,'slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('do:op-aged',1,'begin','"over"',NULL,NULL,1795960722349,1795960722372,'slipway_json','slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('do:op-aged',2,'report','"done"',NULL,NULL,1795960722376,1795960722406,'slipway_json','slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('hear:console:e10',1,'answer','{"card": {"tone": "waiting", "title": "op-reje promote: waits for 1 approval", "text": "When it is done: 43.20261118.0 is latest of Fedora-Cloud-43-Arm64.", "fields": [{"label": "Asked by", "value": "Bob"}, {"label": "Latest in eastus and westeurope", "value": "43.20261111.0 \u2192 43.20261118.0"}, {"label": "Latest in southeastasia", "value": "43.20261104.0 \u2192 43.20261118.0"}, {"label": "Published", "value": "2026-11-18"}, {"label": "End of life", "value": "2027-12-18"}, {"label": "Needs", "value": "1 of Alice (role releng)"}, {"label": "Open until", "value": "2026-11-21 12:00 UTC"}, {"label": "Plan", "value": "`7245efba`"}], "tables": [{"columns": ["", "Step", "Why"], "rows": [["1", "promote 43.20261118.0 of Fedora-Cloud-43-Arm64", "it is the newest candidate"]], "title": "Plan"}], "notes": ["Approve: `!approve op-reje 7245efba`   Reject: `!reject op-reje REASON`"], "buttons": [{"choice": "approve", "label": "Approve", "operation_id": "op-reje", "digest_prefix": "7245efba", "authentic": true}, {"choice": "reject", "label": "Reject", "operation_id": "op-reje", "digest_prefix": "7245efba", "authentic": true}], "shortcuts": [], "mentions": [], "private_to": null, "fleeting": true}, "room": {"platform": "console", "id": "console"}, "thread": null, "operation_id": "op-reje", "start": false}',NULL,NULL,1795960722418,1795960722469,'slipway_json','slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('hear:console:e10',2,'say','"m10"',NULL,NULL,1795960722478,1795960722520,'slipway_json','slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('hear:console:e11',1,'answer','{"card": null, "room": {"platform": "console", "id": "console"}, "thread": null, "operation_id": "op-reje", "start": false}',NULL,NULL,1795960722533,1795960722614,'slipway_json','slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('hear:console:e11',2,'show','null',NULL,NULL,1795960722619,1795960722669,'slipway_json','slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('hear:console:e12',1,'answer','{"card": {"tone": "waiting", "title": "op-exp2 promote: waits for 1 approval", "text": "When it is done: 43.20261118.0 is latest of Fedora-Cloud-43-Arm64.", "fields": [{"label": "Asked by", "value": "Bob"}, {"label": "Latest in eastus and westeurope", "value": "43.20261111.0 \u2192 43.20261118.0"}, {"label": "Latest in southeastasia", "value": "43.20261104.0 \u2192 43.20261118.0"}, {"label": "Published", "value": "2026-11-18"}, {"label": "End of life", "value": "2027-12-18"}, {"label": "Needs", "value": "1 of Alice (role releng)"}, {"label": "Open until", "value": "2026-11-21 12:00 UTC"}, {"label": "Plan", "value": "`d5788f7a`"}], "tables": [{"columns": ["", "Step", "Why"], "rows": [["1", "promote 43.20261118.0 of Fedora-Cloud-43-Arm64", "it is the newest candidate"]], "title": "Plan"}], "notes": ["Approve: `!approve op-exp2 d5788f7a`   Reject: `!reject op-exp2 REASON`"], "buttons": [{"choice": "approve", "label": "Approve", "operation_id": "op-exp2", "digest_prefix": "d5788f7a", "authentic": true}, {"choice": "reject", "label": "Reject", "operation_id": "op-exp2", "digest_prefix": "d5788f7a", "authentic": true}], "shortcuts": [], "mentions": [], "private_to": null, "fleeting": true}, "room": {"platform": "console", "id": "console"}, "thread": null, "operation_id": "op-exp2", "start": false}',NULL,NULL,1795960722697,1795960722738,'slipway_json','slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('hear:console:e12',2,'say','"m12"',NULL,NULL,1795960722746,1795960722793,'slipway_json','slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('hear:console:e13',1,'answer','{"card": {"tone": "waiting", "title": "op-runs cleanup: waits for 1 approval", "text": "When it is done: 4 versions of Fedora-Cloud-Rawhide-x64 deleted.", "fields": [{"label": "Asked by", "value": "Alice"}, {"label": "Older candidates", "value": "2"}, {"label": "Older rolling versions", "value": "2"}, {"label": "Kept", "value": "7"}, {"label": "Needs", "value": "1 of Bob (role releng)"}, {"label": "Open until", "value": "2026-11-21 12:00 UTC"}, {"label": "Plan", "value": "`1be5e9e6`"}], "tables": [{"columns": ["", "Step", "Why"], "rows": [["1", "delete 45.20261109.0 of Fedora-Cloud-Rawhide-x64", "it is a candidate, and not among the newest 7"], ["2", "delete 45.20261110.0 of Fedora-Cloud-Rawhide-x64", "it is a candidate, and not among the newest 7"], ["3", "delete 45.20261111.0 of Fedora-Cloud-Rawhide-x64", "its definition is rolling, and it is not among the newest 7"], ["4", "delete 45.20261112.0 of Fedora-Cloud-Rawhide-x64", "its definition is rolling, and it is not among the newest 7"]], "title": "Plan"}], "notes": ["Approve: `!approve op-runs 1be5e9e6`   Reject: `!reject op-runs REASON`"], "buttons": [{"choice": "approve", "label": "Approve", "operation_id": "op-runs", "digest_prefix": "1be5e9e6", "authentic": true}, {"choice": "reject", "label": "Reject", "operation_id": "op-runs", "digest_prefix": "1be5e9e6", "authentic": true}], "shortcuts": [], "mentions": [], "private_to": null, "fleeting": true}, "room": {"platform": "console", "id": "console"}, "thread": null, "operation_id": "op-runs", "start": false}',NULL,NULL,1795960722823,1795960722870,'slipway_json','slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('hear:console:e13',2,'say','"m13"',NULL,NULL,1795960722874,1795960722900,'slipway_json','slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('hear:console:e14',1,'answer','{"card": null, "room": {"platform": "console", "id": "console"}, "thread": "m13", "operation_id": "op-runs", "start": true}',NULL,NULL,1795960722933,1795960722978,'slipway_json','slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('hear:console:e14',2,'do',NULL,NULL,'do:op-runs',1795960722988,1795960722993,NULL,'slipway',1795960722000);
INSERT INTO "operation_outputs" VALUES('do:op-runs',1,'begin','"go"',NULL,NULL,1795960723007,1795960723045,'slipway_json','slipway',1795960723000);
INSERT INTO "operation_outputs" VALUES('do:op-runs',2,'step-1','"done"',NULL,NULL,1795960723053,1795960723125,'slipway_json','slipway',1795960723000);
INSERT INTO "operation_outputs" VALUES('hear:console:e15',1,'answer','{"card": {"tone": "info", "title": "You are Alice.", "text": "", "fields": [{"label": "Identity", "value": "`console:alice`"}, {"label": "Roles", "value": "releng"}, {"label": "You may", "value": "images, promote, rollback, cleanup, launch, instances, terminate, pending, approve, reject, cancel, op, history, help, whoami, status"}], "tables": [], "notes": [], "buttons": [], "shortcuts": [], "mentions": [], "private_to": null, "fleeting": false}, "room": {"platform": "console", "id": "slow"}, "thread": null, "operation_id": null, "start": false}',NULL,NULL,1795960723161,1795960723165,'slipway_json','slipway',1795960723000);
CREATE TABLE queues (
    queue_id TEXT PRIMARY KEY DEFAULT (hex(randomblob(16))),
    name TEXT NOT NULL UNIQUE,
    concurrency INTEGER,
    worker_concurrency INTEGER,
    rate_limit_max INTEGER,
    rate_limit_period_sec REAL,
    priority_enabled BOOLEAN NOT NULL DEFAULT FALSE,
    partition_queue BOOLEAN NOT NULL DEFAULT FALSE,
    polling_interval_sec REAL NOT NULL DEFAULT 1.0,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL, "partition_concurrency" INTEGER DEFAULT NULL, "partition_worker_concurrency" INTEGER DEFAULT NULL, "partition_rate_limit_max" INTEGER DEFAULT NULL, "partition_rate_limit_period_sec" REAL DEFAULT NULL);
CREATE TABLE streams (
    workflow_uuid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    "offset" INTEGER NOT NULL, function_id INTEGER NOT NULL DEFAULT 0, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, key, "offset"),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_events (
    workflow_uuid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, key),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_events_history (
    workflow_uuid TEXT NOT NULL,
    function_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, function_id, key),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_input (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    inputs TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
INSERT INTO "workflow_input" VALUES('hear:console:e1','{"args": [{"key": "hear:console:e1", "event": {"type": "heard", "event_id": "e1", "room": {"platform": "console", "id": "console"}, "speaker": "alice", "text": "!promote Fedora-Cloud-43-x64", "address": "room", "thread": null, "sent_at": "2026-11-20T12:00:00Z", "assurance": "full", "doubt": ""}}], "kwargs": {}}',1795960719000);
INSERT INTO "workflow_input" VALUES('hear:console:e2','{"args": [{"key": "hear:console:e2", "event": {"type": "press", "event_id": "e2", "room": {"platform": "console", "id": "console"}, "speaker": "bob", "choice": "approve", "message_id": "m1", "operation_id": null, "digest_prefix": null, "reason": "", "sent_at": "2026-11-20T12:00:01Z", "assurance": "full", "doubt": "", "forgeable": false}}], "kwargs": {}}',1795960720000);
INSERT INTO "workflow_input" VALUES('do:op-prmt','{"args": [{"operation": "op-prmt"}], "kwargs": {}}',1795960721000);
INSERT INTO "workflow_input" VALUES('hear:console:e3','{"args": [{"key": "hear:console:e3", "event": {"type": "heard", "event_id": "e3", "room": {"platform": "console", "id": "console"}, "speaker": "alice", "text": "!rollback Fedora-Cloud-43-x64", "address": "room", "thread": null, "sent_at": "2026-11-20T12:00:02Z", "assurance": "full", "doubt": ""}}], "kwargs": {}}',1795960721000);
INSERT INTO "workflow_input" VALUES('hear:console:e4','{"args": [{"key": "hear:console:e4", "event": {"type": "press", "event_id": "e4", "room": {"platform": "console", "id": "console"}, "speaker": "bob", "choice": "approve", "message_id": "m3", "operation_id": null, "digest_prefix": null, "reason": "", "sent_at": "2026-11-20T12:00:03Z", "assurance": "full", "doubt": "", "forgeable": false}}], "kwargs": {}}',1795960721000);
INSERT INTO "workflow_input" VALUES('do:op-back','{"args": [{"operation": "op-back"}], "kwargs": {}}',1795960721000);
INSERT INTO "workflow_input" VALUES('hear:console:e5','{"args": [{"key": "hear:console:e5", "event": {"type": "heard", "event_id": "e5", "room": {"platform": "console", "id": "console"}, "speaker": "alice", "text": "!promote Fedora-Cloud-43-Arm64", "address": "room", "thread": null, "sent_at": "2026-11-20T12:00:04Z", "assurance": "full", "doubt": ""}}], "kwargs": {}}',1795960721000);
INSERT INTO "workflow_input" VALUES('hear:console:e6','{"args": [{"key": "hear:console:e6", "event": {"type": "heard", "event_id": "e6", "room": {"platform": "console", "id": "console"}, "speaker": "alice", "text": "!rollback Fedora-Cloud-42-x64", "address": "room", "thread": null, "sent_at": "2026-11-20T12:00:05Z", "assurance": "full", "doubt": ""}}], "kwargs": {}}',1795960721000);
INSERT INTO "workflow_input" VALUES('hear:console:e7','{"args": [{"key": "hear:console:e7", "event": {"type": "press", "event_id": "e7", "room": {"platform": "console", "id": "console"}, "speaker": "bob", "choice": "approve", "message_id": "m6", "operation_id": null, "digest_prefix": null, "reason": "", "sent_at": "2026-11-20T12:00:06Z", "assurance": "full", "doubt": "", "forgeable": false}}], "kwargs": {}}',1795960721000);
INSERT INTO "workflow_input" VALUES('do:op-refu','{"args": [{"operation": "op-refu"}], "kwargs": {}}',1795960721000);
INSERT INTO "workflow_input" VALUES('hear:console:e8','{"args": [{"key": "hear:console:e8", "event": {"type": "heard", "event_id": "e8", "room": {"platform": "console", "id": "console"}, "speaker": "alice", "text": "!rollback Fedora-Cloud-42-x64", "address": "room", "thread": null, "sent_at": "2026-11-20T12:00:06Z", "assurance": "full", "doubt": ""}}], "kwargs": {}}',1795960722000);
INSERT INTO "workflow_input" VALUES('hear:console:e9','{"args": [{"key": "hear:console:e9", "event": {"type": "press", "event_id": "e9", "room": {"platform": "console", "id": "console"}, "speaker": "bob", "choice": "approve", "message_id": "m8", "operation_id": null, "digest_prefix": null, "reason": "", "sent_at": "2026-11-20T12:00:07Z", "assurance": "full", "doubt": "", "forgeable": false}}], "kwargs": {}}',1795960722000);
INSERT INTO "workflow_input" VALUES('do:op-aged','{"args": [{"operation": "op-aged"}], "kwargs": {}}',1795960722000);
INSERT INTO "workflow_input" VALUES('hear:console:e10','{"args": [{"key": "hear:console:e10", "event": {"type": "heard", "event_id": "e10", "room": {"platform": "console", "id": "console"}, "speaker": "bob", "text": "!promote Fedora-Cloud-43-Arm64", "address": "room", "thread": null, "sent_at": "2026-11-20T12:00:07Z", "assurance": "full", "doubt": ""}}], "kwargs": {}}',1795960722000);
INSERT INTO "workflow_input" VALUES('hear:console:e11','{"args": [{"key": "hear:console:e11", "event": {"type": "heard", "event_id": "e11", "room": {"platform": "console", "id": "console"}, "speaker": "alice", "text": "!reject op-reje the boot test has not run", "address": "room", "thread": null, "sent_at": "2026-11-20T12:00:08Z", "assurance": "full", "doubt": ""}}], "kwargs": {}}',1795960722000);
INSERT INTO "workflow_input" VALUES('hear:console:e12','{"args": [{"key": "hear:console:e12", "event": {"type": "heard", "event_id": "e12", "room": {"platform": "console", "id": "console"}, "speaker": "bob", "text": "!promote Fedora-Cloud-43-Arm64", "address": "room", "thread": null, "sent_at": "2026-11-20T12:00:08Z", "assurance": "full", "doubt": ""}}], "kwargs": {}}',1795960722000);
INSERT INTO "workflow_input" VALUES('hear:console:e13','{"args": [{"key": "hear:console:e13", "event": {"type": "heard", "event_id": "e13", "room": {"platform": "console", "id": "console"}, "speaker": "alice", "text": "!cleanup Fedora-Cloud-Rawhide-x64", "address": "room", "thread": null, "sent_at": "2026-11-20T12:00:09Z", "assurance": "full", "doubt": ""}}], "kwargs": {}}',1795960722000);
INSERT INTO "workflow_input" VALUES('hear:console:e14','{"args": [{"key": "hear:console:e14", "event": {"type": "press", "event_id": "e14", "room": {"platform": "console", "id": "console"}, "speaker": "bob", "choice": "approve", "message_id": "m13", "operation_id": null, "digest_prefix": null, "reason": "", "sent_at": "2026-11-20T12:00:10Z", "assurance": "full", "doubt": "", "forgeable": false}}], "kwargs": {}}',1795960722000);
INSERT INTO "workflow_input" VALUES('do:op-runs','{"args": [{"operation": "op-runs"}], "kwargs": {}}',1795960722000);
INSERT INTO "workflow_input" VALUES('hear:console:e15','{"args": [{"key": "hear:console:e15", "event": {"type": "heard", "event_id": "e15", "room": {"platform": "console", "id": "slow"}, "speaker": "alice", "text": "!whoami", "address": "room", "thread": null, "sent_at": "2026-11-20T12:00:10Z", "assurance": "full", "doubt": ""}}], "kwargs": {}}',1795960723000);
INSERT INTO "workflow_input" VALUES('hear:console:e16','{"args": [{"key": "hear:console:e16", "event": {"type": "heard", "event_id": "e16", "room": {"platform": "console", "id": "console"}, "speaker": "bob", "text": "!images Fedora-Cloud-41-x64", "address": "room", "thread": null, "sent_at": "2026-11-20T12:00:10Z", "assurance": "full", "doubt": ""}}], "kwargs": {}}',1795960723000);
INSERT INTO "workflow_input" VALUES('tick:weekly:2026-11-20T11:57Z','{"args": [{"tick": {"schedule": "weekly", "at": "2026-11-20T11:57:00Z", "room": {"platform": "console", "id": "console"}, "text": "images Fedora-Cloud-41-x64", "quiet": false}}], "kwargs": {}}',1795960723000);
CREATE TABLE workflow_output (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    output TEXT,
    error TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
INSERT INTO "workflow_output" VALUES('hear:console:e1','null',NULL,1795960720000);
INSERT INTO "workflow_output" VALUES('hear:console:e2','null',NULL,1795960721000);
INSERT INTO "workflow_output" VALUES('do:op-prmt','null',NULL,1795960721000);
INSERT INTO "workflow_output" VALUES('hear:console:e3','null',NULL,1795960721000);
INSERT INTO "workflow_output" VALUES('hear:console:e4','null',NULL,1795960721000);
INSERT INTO "workflow_output" VALUES('do:op-back','null',NULL,1795960721000);
INSERT INTO "workflow_output" VALUES('hear:console:e5','null',NULL,1795960721000);
INSERT INTO "workflow_output" VALUES('hear:console:e6','null',NULL,1795960721000);
INSERT INTO "workflow_output" VALUES('hear:console:e7','null',NULL,1795960721000);
INSERT INTO "workflow_output" VALUES('do:op-refu','null',NULL,1795960722000);
INSERT INTO "workflow_output" VALUES('hear:console:e8','null',NULL,1795960722000);
INSERT INTO "workflow_output" VALUES('hear:console:e9','null',NULL,1795960722000);
INSERT INTO "workflow_output" VALUES('do:op-aged','null',NULL,1795960722000);
INSERT INTO "workflow_output" VALUES('hear:console:e10','null',NULL,1795960722000);
INSERT INTO "workflow_output" VALUES('hear:console:e11','null',NULL,1795960722000);
INSERT INTO "workflow_output" VALUES('hear:console:e12','null',NULL,1795960722000);
INSERT INTO "workflow_output" VALUES('hear:console:e13','null',NULL,1795960722000);
INSERT INTO "workflow_output" VALUES('hear:console:e14','null',NULL,1795960722000);
CREATE TABLE workflow_schedules (
    schedule_id TEXT PRIMARY KEY,
    schedule_name TEXT NOT NULL UNIQUE,
    workflow_name TEXT NOT NULL,
    workflow_class_name TEXT,
    schedule TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'ACTIVE',
    context TEXT NOT NULL
, "last_fired_at" TEXT DEFAULT NULL, "automatic_backfill" BOOLEAN NOT NULL DEFAULT FALSE, "cron_timezone" TEXT DEFAULT NULL, "queue_name" TEXT DEFAULT NULL, "application_name" TEXT DEFAULT NULL);
CREATE TABLE workflow_status (
    workflow_uuid TEXT PRIMARY KEY,
    status TEXT,
    name TEXT,
    authenticated_user TEXT,
    assumed_role TEXT,
    authenticated_roles TEXT,
    request TEXT,
    output TEXT,
    error TEXT,
    executor_id TEXT,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    application_version TEXT,
    application_id TEXT,
    class_name TEXT DEFAULT NULL,
    config_name TEXT DEFAULT NULL,
    recovery_attempts INTEGER DEFAULT 0,
    queue_name TEXT,
    workflow_timeout_ms INTEGER,
    workflow_deadline_epoch_ms INTEGER,
    inputs TEXT,
    started_at_epoch_ms INTEGER,
    deduplication_id TEXT,
    priority INTEGER NOT NULL DEFAULT 0
, queue_partition_key TEXT, forked_from TEXT, "owner_xid" TEXT DEFAULT NULL, "parent_workflow_id" TEXT DEFAULT NULL, "serialization" TEXT DEFAULT NULL, "delay_until_epoch_ms" BIGINT DEFAULT NULL, "was_forked_from" BOOLEAN NOT NULL DEFAULT FALSE, "rate_limited" BOOLEAN NOT NULL DEFAULT FALSE, "completed_at" BIGINT, "attributes" TEXT, "schedule_name" TEXT, "debounce_deadline_epoch_ms" BIGINT DEFAULT NULL, "is_debounced" BOOLEAN NOT NULL DEFAULT FALSE, "application_name" TEXT DEFAULT NULL, "creator_xid" TEXT DEFAULT NULL);
INSERT INTO "workflow_status" VALUES('hear:console:e1','SUCCESS','hear',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960719000,1795960720000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'slipway_json',NULL,0,0,1795960720000,'null',NULL,NULL,0,'slipway','ca8892e8-6567-4361-b3b1-f4f66cf75899');
INSERT INTO "workflow_status" VALUES('hear:console:e2','SUCCESS','hear',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960720000,1795960721000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'slipway_json',NULL,0,0,1795960721000,'null',NULL,NULL,0,'slipway','20b74e92-ad1b-415a-a7b1-12d58dc3b98e');
INSERT INTO "workflow_status" VALUES('do:op-prmt','SUCCESS','do',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960721000,1795960721000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,'hear:console:e2','slipway_json',NULL,0,0,1795960721000,'null',NULL,NULL,0,'slipway','cd49254f-0068-4cba-adbe-d6185332fae6');
INSERT INTO "workflow_status" VALUES('hear:console:e3','SUCCESS','hear',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960721000,1795960721000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'slipway_json',NULL,0,0,1795960721000,'null',NULL,NULL,0,'slipway','128d7b5f-a4d6-4f72-97bb-33b127c9d1bb');
INSERT INTO "workflow_status" VALUES('hear:console:e4','SUCCESS','hear',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960721000,1795960721000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'slipway_json',NULL,0,0,1795960721000,'null',NULL,NULL,0,'slipway','0d1e041d-9646-4140-b542-2d168e7ef444');
INSERT INTO "workflow_status" VALUES('do:op-back','SUCCESS','do',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960721000,1795960721000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,'hear:console:e4','slipway_json',NULL,0,0,1795960721000,'null',NULL,NULL,0,'slipway','480e6b7e-d880-4496-84b5-e11e4099c74e');
INSERT INTO "workflow_status" VALUES('hear:console:e5','SUCCESS','hear',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960721000,1795960721000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'slipway_json',NULL,0,0,1795960721000,'null',NULL,NULL,0,'slipway','713d054c-d5e1-46c4-be38-c667b3b78113');
INSERT INTO "workflow_status" VALUES('hear:console:e6','SUCCESS','hear',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960721000,1795960721000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'slipway_json',NULL,0,0,1795960721000,'null',NULL,NULL,0,'slipway','dcd32466-bdc1-4b72-ae14-ff494ea4af9c');
INSERT INTO "workflow_status" VALUES('hear:console:e7','SUCCESS','hear',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960721000,1795960721000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'slipway_json',NULL,0,0,1795960721000,'null',NULL,NULL,0,'slipway','5a52abfd-3f86-4cd1-a5e0-df3ea56014b5');
INSERT INTO "workflow_status" VALUES('do:op-refu','SUCCESS','do',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960721000,1795960722000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,'hear:console:e7','slipway_json',NULL,0,0,1795960722000,'null',NULL,NULL,0,'slipway','2604e10b-b57e-40fe-8406-5ca3e3019ca6');
INSERT INTO "workflow_status" VALUES('hear:console:e8','SUCCESS','hear',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960722000,1795960722000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'slipway_json',NULL,0,0,1795960722000,'null',NULL,NULL,0,'slipway','7c96d8bb-f82b-42ab-9c3c-aa2bbcaf021c');
INSERT INTO "workflow_status" VALUES('hear:console:e9','SUCCESS','hear',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960722000,1795960722000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'slipway_json',NULL,0,0,1795960722000,'null',NULL,NULL,0,'slipway','62e6a5f9-9916-4500-879d-e3c5a0b2dbcc');
INSERT INTO "workflow_status" VALUES('do:op-aged','SUCCESS','do',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960722000,1795960722000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,'hear:console:e9','slipway_json',NULL,0,0,1795960722000,'null',NULL,NULL,0,'slipway','430d229e-7a5e-4796-bc00-921ca7fc94f3');
INSERT INTO "workflow_status" VALUES('hear:console:e10','SUCCESS','hear',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960722000,1795960722000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'slipway_json',NULL,0,0,1795960722000,'null',NULL,NULL,0,'slipway','ec114e6c-4782-450b-8b94-12ba59107280');
INSERT INTO "workflow_status" VALUES('hear:console:e11','SUCCESS','hear',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960722000,1795960722000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'slipway_json',NULL,0,0,1795960722000,'null',NULL,NULL,0,'slipway','febaf282-ab4b-4601-9836-93dbba9ed5bf');
INSERT INTO "workflow_status" VALUES('hear:console:e12','SUCCESS','hear',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960722000,1795960722000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'slipway_json',NULL,0,0,1795960722000,'null',NULL,NULL,0,'slipway','421d877b-ae1d-497d-8426-d3ec378b8994');
INSERT INTO "workflow_status" VALUES('hear:console:e13','SUCCESS','hear',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960722000,1795960722000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'slipway_json',NULL,0,0,1795960722000,'null',NULL,NULL,0,'slipway','c55f4714-8e66-41f8-8b11-a90e4bf515a2');
INSERT INTO "workflow_status" VALUES('hear:console:e14','SUCCESS','hear',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960722000,1795960722000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'slipway_json',NULL,0,0,1795960722000,'null',NULL,NULL,0,'slipway','9f17716c-7949-434e-8bfb-40443359371b');
INSERT INTO "workflow_status" VALUES('do:op-runs','PENDING','do',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960722000,1795960722000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,'f92ac970-8368-4e19-a765-26906b0da98a','hear:console:e14','slipway_json',NULL,0,0,NULL,'null',NULL,NULL,0,'slipway','f92ac970-8368-4e19-a765-26906b0da98a');
INSERT INTO "workflow_status" VALUES('hear:console:e15','PENDING','hear',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960723000,1795960723000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,'1e3e6641-deff-4877-96b8-99d025539234',NULL,'slipway_json',NULL,0,0,NULL,'null',NULL,NULL,0,'slipway','1e3e6641-deff-4877-96b8-99d025539234');
INSERT INTO "workflow_status" VALUES('hear:console:e16','PENDING','hear',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960723000,1795960723000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,'37adbfc6-04df-49fa-8403-ce06ee6ac516',NULL,'slipway_json',NULL,0,0,NULL,'null',NULL,NULL,0,'slipway','37adbfc6-04df-49fa-8403-ce06ee6ac516');
INSERT INTO "workflow_status" VALUES('tick:weekly:2026-11-20T11:57Z','PENDING','tick',NULL,NULL,NULL,NULL,NULL,NULL,'d869edb4-5322-4e6e-9d9b-19713f708893',1795960723000,1795960723000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,'64be20c8-6a4c-439f-9867-0a33a568e632',NULL,'slipway_json',NULL,0,0,NULL,'null',NULL,NULL,0,'slipway','64be20c8-6a4c-439f-9867-0a33a568e632');
CREATE INDEX workflow_status_created_at_index ON workflow_status (created_at);
CREATE INDEX idx_workflow_topic ON notifications (destination_uuid, topic);
CREATE INDEX "idx_workflow_status_delayed" ON "workflow_status" ("delay_until_epoch_ms") WHERE status = 'DELAYED';
CREATE INDEX "idx_workflow_status_forked_from" ON "workflow_status" ("forked_from") WHERE "forked_from" IS NOT NULL;
CREATE INDEX "idx_workflow_status_parent_workflow_id" ON "workflow_status" ("parent_workflow_id") WHERE "parent_workflow_id" IS NOT NULL;
CREATE UNIQUE INDEX "uq_workflow_status_dedup_id" ON "workflow_status" ("queue_name", "deduplication_id") WHERE "deduplication_id" IS NOT NULL;
CREATE INDEX "idx_workflow_status_pending" ON "workflow_status" ("created_at") WHERE "status" = 'PENDING';
CREATE INDEX "idx_workflow_status_failed" ON "workflow_status" ("status", "created_at") WHERE "status" IN ('ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED');
CREATE INDEX "idx_workflow_status_rate_limited" ON "workflow_status" ("queue_name", "started_at_epoch_ms") WHERE "rate_limited" = TRUE;
CREATE INDEX "idx_workflow_status_completed_at" ON "workflow_status" ("completed_at") WHERE "completed_at" IS NOT NULL;
CREATE INDEX "idx_workflow_status_started_at" ON "workflow_status" ("started_at_epoch_ms") WHERE "started_at_epoch_ms" IS NOT NULL;
CREATE INDEX "idx_workflow_status_schedule_name" ON "workflow_status" ("schedule_name") WHERE "schedule_name" IS NOT NULL;
CREATE UNIQUE INDEX "uq_application_versions_owner_version"
    ON application_versions ("application_name", "version_name")
    WHERE "application_name" IS NOT NULL;
CREATE UNIQUE INDEX "uq_application_versions_unclaimed_version"
    ON application_versions ("version_name")
    WHERE "application_name" IS NULL;
CREATE INDEX idx_workflow_input_retention
    ON workflow_input (retention_timestamp);
CREATE INDEX idx_workflow_output_retention
    ON workflow_output (retention_timestamp);
CREATE INDEX idx_operation_outputs_retention
    ON operation_outputs (retention_timestamp);
CREATE INDEX "idx_workflow_status_in_flight_v2" ON "workflow_status" ("queue_name", "status", "priority", "created_at", "application_name") WHERE "status" IN ('ENQUEUED', 'PENDING');
CREATE INDEX "idx_workflow_status_partition_dequeue_v3" ON "workflow_status" ("queue_name", "status", "queue_partition_key", "priority", "created_at", "workflow_uuid", "application_name") WHERE "status" IN ('ENQUEUED', 'PENDING') AND "queue_partition_key" IS NOT NULL;
CREATE INDEX "idx_operation_outputs_completed_at_function_name_v2" ON "operation_outputs" ("completed_at_epoch_ms", "function_name", "application_name");
CREATE INDEX "idx_workflow_status_deadline" ON "workflow_status" ("workflow_deadline_epoch_ms") WHERE "status" IN ('ENQUEUED', 'PENDING', 'DELAYED') AND "workflow_deadline_epoch_ms" IS NOT NULL;
CREATE INDEX "idx_application_versions_timestamp" ON "application_versions" ("version_timestamp" DESC);
CREATE INDEX "idx_application_versions_owner_timestamp" ON "application_versions" ("application_name", "version_timestamp" DESC);
COMMIT;
