# One image for every process of a node: `serve` (default), `gateway`, `work`, `migrate`, the operator's commands.
# Nothing secret is built in: settings come from COUNTERPART_* variables, secrets from files (COUNTERPART_*_FILE).
FROM python:3.11-slim AS build
RUN python -m venv --without-pip /opt/counterpart
COPY requirements-image.lock /tmp/
RUN pip --disable-pip-version-check --python /opt/counterpart/bin/python install --no-cache-dir --require-hashes \
        -r /tmp/requirements-image.lock
# The running image holds neither pip nor a build backend: the application is its source, beside its migrations.
COPY app /opt/counterpart/src/app
COPY migrations /opt/counterpart/src/migrations
RUN printf '#!/bin/sh\nexec python -m app "$@"\n' > /opt/counterpart/bin/counterpart \
    && chmod 0755 /opt/counterpart/bin/counterpart \
    && /opt/counterpart/bin/python -m compileall -q /opt/counterpart/src

FROM python:3.11-slim
LABEL org.opencontainers.image.title="counterpart" \
      org.opencontainers.image.description="The software of a state's 24/7 point of contact for cybercrime"
RUN groupadd --gid 10001 counterpart \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin counterpart \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/counterpart /var/lib/counterpart/network
# What the printed form needs to set Arabic and Japanese; Latin is in the typesetter.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends fonts-hosny-amiri fonts-vlgothic \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/counterpart /opt/counterpart
ENV PATH=/opt/counterpart/bin:$PATH PYTHONPATH=/opt/counterpart/src TZ=UTC PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 COUNTERPART_PROFILE=production COUNTERPART_HTTP_HOST=0.0.0.0 COUNTERPART_HTTP_PORT=8000
USER 10001:10001
WORKDIR /var/lib/counterpart
EXPOSE 8000
# Ready: the database answers and its schema is ours. With the broker away a node stays ready, and says it is degraded.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['COUNTERPART_HTTP_PORT'] + '/readyz', timeout=2)"]
ENTRYPOINT ["counterpart"]
CMD ["serve"]
