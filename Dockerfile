# The server for production. It needs DATABASE_URL and AUTH_SECRET; the embedded PostgreSQL is not included.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json prisma.config.ts ./
COPY prisma ./prisma
# The image has Node, so the copy that npm installs for development is left out.
RUN npm ci --ignore-scripts && npx prisma generate && npm prune --omit=dev --omit=optional --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production PORT=4000
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/src/store/generated ./src/store/generated
COPY package.json ./
COPY prisma/migrations ./prisma/migrations
COPY src ./src
COPY docs ./docs
USER node
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "-e", "fetch('http://127.0.0.1:'+process.env.PORT+'/ready').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"]
# Runs Node directly, so that signals reach it and the container exits with it.
CMD ["node", "src/main.ts"]
