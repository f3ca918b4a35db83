/** npm scripts with a long-running process, which must exit with npm even if npm is killed with `kill -9`. */
const LONG_RUNNING_SCRIPTS = ["start", "cluster"];

/** Resolves with the reason when the process should stop: it received a signal, or its parent has exited. */
export function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    // Ctrl-C arrives twice, from the terminal and from npm: the second signal must not kill a process that is stopping.
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => resolve(signal));

    // The IPC channel of a forked process is disconnected when its parent exits, even if the parent was killed.
    const orphaned = (): void => resolve("the parent process has exited");
    if (process.send !== undefined && !process.connected) orphaned();
    process.once("disconnect", orphaned);
    // Listening for that must not keep a finished process alive.
    process.channel?.unref();

    if (!LONG_RUNNING_SCRIPTS.includes(process.env.npm_lifecycle_event ?? "")) return;
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent) resolve("npm has exited");
    }, 250).unref();
  });
}
