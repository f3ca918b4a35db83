/** Runs one benchmark: `npm run bench -- <name>`. */
const benches: Record<string, () => Promise<void>> = {
  ingest: async () => (await import("./ingest.ts")).ingest(),
  fanout: async () => (await import("./fanout.ts")).fanout(),
  flood: async () => (await import("./flood.ts")).flood(),
  deliver: async () => (await import("./deliver.ts")).deliver(),
  instances: async () => (await import("./instances.ts")).instances(),
};

const [name = ""] = process.argv.slice(2);
const bench = benches[name];
if (bench === undefined) {
  console.error(`Usage: npm run bench -- ${Object.keys(benches).join(" | ")}`);
  process.exit(1);
}
await bench();
