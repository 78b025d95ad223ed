# syntax=docker/dockerfile:1
# One image for gateway, worker and the simulated vendors:
#   docker build -t syncline .
#   docker run syncline gateway | worker | doctor | …      (any command of `npx syncline`)

FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
# Packages first: they change less often than the source, and their layer is kept.
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY schemas/ schemas/
COPY connectors/ connectors/
COPY syncs/ syncs/
COPY workflows/ workflows/
COPY activities/ activities/
COPY platform/ platform/
COPY ledger/ ledger/
COPY warehouse/ warehouse/
COPY workers/ workers/
COPY client/ client/
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:20.20.2-bookworm-slim
# tini passes signals on and reaps what is left: SIGTERM must reach the worker, or it cannot drain.
RUN apt-get update \
  && apt-get install -y --no-install-recommends tini ca-certificates \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production
# In a container the port is published on purpose; on a machine of its own the gateway listens on the loopback address.
ENV GATEWAY_HOST=0.0.0.0
ENV SYNCLINE_METRICS_HOST=0.0.0.0
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules/ node_modules/
COPY --from=build /app/dist/ dist/
COPY bin/syncline.js bin/
USER node
EXPOSE 8080 9464
# Of the gateway, which is what runs unless told otherwise; docker-compose.yml has the worker's.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:'+(process.env.GATEWAY_PORT||8080)+'/healthz').then((r)=>process.exit(r.ok?0:1),()=>process.exit(1))"]
ENTRYPOINT ["tini", "--", "node", "bin/syncline.js"]
CMD ["gateway"]
