# Slipway as a container: no root, no shell needed, nothing written but /var/lib/slipway.
#
#   docker build -t slipway .
#   docker run --read-only --cap-drop ALL -v slipway:/var/lib/slipway \
#     -v ./slipway.toml:/etc/slipway/slipway.toml:ro --env-file slipway.env slipway
#
# slipway.toml must say: state_dir = "/var/lib/slipway" (or a folder in it)
#
# It runs under any user id whose group is 0, as OpenShift has it. Where pip needs settings to reach an index, the build
# gets them as secrets, which are in no layer: --secret id=pip.conf,src=/etc/pip.conf, and --secret id=ca.pem,src=FILE for
# the certificates that they name as /run/secrets/ca.pem.

FROM python:3.13-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/slipway
WORKDIR /src
# The pinned libraries first: their layer is built again only when a pin changes.
COPY requirements.txt ./
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.pem \
    /opt/slipway/bin/pip install --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE slipway.example.toml ./
COPY src src
COPY bot bot
COPY commands commands
COPY scheduler scheduler
# Compiled now, because a read-only container could not keep what it compiles at each start.
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.pem \
    /opt/slipway/bin/pip install --no-deps . \
 && /opt/slipway/bin/python -m compileall -q /opt/slipway/lib


FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="Slipway" \
      org.opencontainers.image.description="ChatOps for people who publish cloud images" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/slipway /opt/slipway
# OpenSSH's client, for boot tests that log in.
RUN apt-get update && apt-get install -y --no-install-recommends openssh-client && rm -rf /var/lib/apt/lists/*
# Group 0 may do what the owner may: whoever runs it under another user id runs it in that group.
RUN useradd --uid 10001 --gid 0 --no-create-home --home-dir /var/lib/slipway --shell /usr/sbin/nologin slipway \
 && install -d -o slipway -g 0 -m 0770 /var/lib/slipway
ENV PATH=/opt/slipway/bin:$PATH \
    HOME=/var/lib/slipway \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SLIPWAY_CONFIG=/etc/slipway/slipway.toml
USER 10001:0
# Also where SQLite puts its temporary files when nothing else can be written.
WORKDIR /var/lib/slipway
VOLUME /var/lib/slipway
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["slipway", "health"]
# Work under way gets 20 seconds to end: stop with `docker stop -t 30`.
STOPSIGNAL SIGTERM
ENTRYPOINT ["slipway"]
CMD ["run"]
