import { bootDesk, type Desk, rowId } from "../support/app.ts";
import { freshDatabase } from "../support/database.ts";
import { people } from "../support/people.ts";
import { cursorNow, type Listener, listen, type ReceivedEvent } from "../support/subscriber.ts";

/** Several instances on one database; the agents of the first use a console on each. */
export interface Instances {
  readonly desks: readonly [Desk, ...Desk[]];
  /** The URL of their database. */
  readonly url: string;
  stop(): Promise<void>;
}

export async function bootInstances(count: number, env: NodeJS.ProcessEnv = {}): Promise<Instances> {
  const { url, drop } = await freshDatabase();
  const boot = (): Promise<Desk> => bootDesk({ env: { DATABASE_URL: url, ...env } });
  const first = await boot();
  const others: Desk[] = [];
  while (others.length < count - 1) others.push(await boot());
  const desks: [Desk, ...Desk[]] = [first, ...others];
  const stop = async (): Promise<void> => {
    await Promise.all(desks.map((desk) => desk.stop()));
    await drop();
  };
  return { desks, url, stop };
}

/** A console of the first instance's agent Ada on each instance. */
export async function consolesOn({ desks }: Instances): Promise<Listener[]> {
  const [{ ada }] = desks;
  const after = await cursorNow(desks[0]);
  return desks.map((desk) => listen(desk, "messageRecorded", { after, token: ada.token }));
}

/** Contacts write on every instance concurrently, each one message after the other; returns the number of recorded messages. */
export async function writeOnAllInstances({ desks }: Instances, each: number): Promise<number> {
  const [{ line: channel }] = desks;
  await Promise.all(
    desks.flatMap((desk) =>
      people(desk, 4, { channel }).map(async (someone) => {
        for (let n = 0; n < each; n++) await someone.says(`${n}`);
      }),
    ),
  );
  // The first message of each contact is greeted.
  return desks.length * 4 * (each + 1);
}

/** The last messages of the log, in the format of {@link shown}. */
export async function lastRecorded({ desks: [{ app, id }] }: Instances, count: number): Promise<string[]> {
  const { rows } = await app.database.pool.query<{ shown: string }>(
    `SELECT concat_ws(' ', event.id, message.id, message.text) AS shown
     FROM event JOIN message ON message.id = (event.data ->> 'messageId')::uuid
     WHERE event.workspace_id = $1 AND event.type = 'MessageRecorded' ORDER BY event.position DESC LIMIT $2`,
    [rowId(id), count],
  );
  return rows.map((row) => row.shown).reverse();
}

export function shown({ id, message }: ReceivedEvent): string {
  return [id, rowId(message?.id ?? ""), message?.text].join(" ");
}

/** The latencies in milliseconds from a commit on the first instance to each console of the others, sorted. */
export async function latencies(instances: Instances, count: number): Promise<number[]> {
  const [first, ...others] = instances.desks;
  const [someone] = people(first, 1);
  await someone?.says("Hello");
  const after = await cursorNow(first);
  const consoles = others.map((desk) => listen(desk, "messageRecorded", { after, token: first.ada.token }));
  const samples: number[] = [];
  for (let n = 0; n < count; n++) {
    await someone?.says(`${n}`);
    const committed = performance.now();
    await Promise.all(
      consoles.map(async (console) => {
        await console.next();
        samples.push(performance.now() - committed);
      }),
    );
  }
  for (const console of consoles) await console.close();
  return samples.sort((a, b) => a - b);
}
