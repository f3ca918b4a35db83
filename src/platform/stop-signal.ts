/** Scripts of npm's that are one long process: it ends with npm, which a `kill -9` of npm alone would not see to. */
const LASTING_SCRIPTS = ["start", "cluster"];

/** Resolves, with the reason, when the process is asked to end: by a signal, or because whoever started it is gone. */
export function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    // Ctrl-C comes twice, from the terminal and from npm: a second signal must not end by force what is being ended.
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => resolve(signal));

    // A forked process has a channel to its parent, which breaks when the parent dies, however it dies.
    const orphaned = (): void => resolve("the process that started this one has ended");
    if (process.send !== undefined && !process.connected) orphaned();
    process.once("disconnect", orphaned);
    // Waiting for that must not keep a process going that is done.
    process.channel?.unref();

    if (!LASTING_SCRIPTS.includes(process.env.npm_lifecycle_event ?? "")) return;
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent) resolve("npm has ended");
    }, 250).unref();
  });
}
