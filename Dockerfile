# syntax=docker/dockerfile:1
# One image; its command is `weir …`. Debian, not Alpine: Temporal's native core needs glibc.
FROM node:20-bookworm-slim AS build
WORKDIR /weir
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build

# What runs needs neither compilers nor the embedded PostgreSQL (its binaries are the optional packages), nor the core of other platforms.
FROM node:20-bookworm-slim AS packages
WORKDIR /weir
COPY package.json package-lock.json .npmrc scripts/prune-packages.sh ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund && sh prune-packages.sh

FROM node:20-bookworm-slim
ENV NODE_ENV=production WEIR_PROJECT_DIR=/project WEIR_METRICS_ADDRESS=0.0.0.0:9464
# glibc gives back what is freed: some 30 MB less (docs/guides/production.md).
ENV MALLOC_ARENA_MAX=2 MALLOC_TRIM_THRESHOLD_=131072 MALLOC_MMAP_THRESHOLD_=262144
WORKDIR /weir
COPY --from=packages /weir/node_modules node_modules
COPY --from=build /weir/dist dist
COPY bin bin
COPY package.json LICENSE ./
RUN mkdir /project && chown node:node /project
USER node
WORKDIR /project
EXPOSE 9464
# The slots stand in the metrics once the worker polls.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.WEIR_METRICS_ADDRESS.split(':').pop() + '/metrics').then((r) => r.text()).then((t) => process.exit(t.includes('temporal_worker_task_slots_available') ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/weir/bin/weir"]
CMD ["worker"]
