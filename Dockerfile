# TMS in one image, for every role: serve (default), clock, migrate, check, manage. See deploy/image/entrypoint.
#
#   docker build --tag tms .
#   docker run --read-only --tmpfs /tmp --publish 8000:8000 --env-file tms.env tms
#
# The pipeline builds once from the base by its digest (deploy/image/base), and deploys the image by its digest. Only in
# development the base is selected by its tag. Packages are locked by hash. Node is needed for the build only.
ARG PYTHON=docker.io/library/python:3.13-slim-trixie

FROM ${PYTHON} AS packages
WORKDIR /opt/tms
COPY requirements/production.txt requirements/
RUN python -m venv --without-pip .venv \
 && python -m pip --disable-pip-version-check --python .venv/bin/python install \
      --quiet --no-cache-dir --no-compile --require-hashes --only-binary :all: --requirement requirements/production.txt

FROM ${PYTHON} AS browser-files
WORKDIR /build
COPY requirements/node.txt package.json package-lock.json .npmrc ./
COPY static static
RUN python -m venv --without-pip node \
 && python -m pip --disable-pip-version-check --python node/bin/python install \
      --quiet --no-cache-dir --require-hashes --only-binary :all: --requirement node.txt \
 && PATH="$PWD/node/bin:$PATH" npm ci --silent --ignore-scripts --omit=dev \
 && node/bin/node static/build.js

FROM packages AS application
COPY . .
COPY --from=browser-files /build/build/static build/static
RUN PATH="$PWD/.venv/bin:$PATH" PYTHONDONTWRITEBYTECODE=1 deploy/image/prepare

FROM ${PYTHON}
LABEL org.opencontainers.image.title="TMS" \
      org.opencontainers.image.description="Terminal Management System" \
      org.opencontainers.image.licenses="MIT"
RUN useradd --no-log-init --system --user-group --uid 10001 --home-dir /opt/tms --no-create-home --shell /usr/sbin/nologin tms
WORKDIR /opt/tms
COPY --from=application /opt/tms /opt/tms
# Only /tmp is written to, and only by system libraries: the root file system may be read-only.
ENV PATH=/opt/tms/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TMS_PRODUCTION=1 \
    TMS_DATA_DIR=/tmp \
    TMS_STATIC_ROOT=/opt/tms/collected
# Fargate mounts the volume on /tmp with the owner and mode of the directory in the image.
RUN install -d -m 1777 /tmp
VOLUME ["/tmp"]
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 CMD ["deploy/image/entrypoint", "health"]
ENTRYPOINT ["/opt/tms/deploy/image/entrypoint"]
CMD ["serve"]
