import { flowReader } from "../../src/flows/read-flows.ts";

/** Reads flows without reporting unreadable ones, for tests of rooms that have no use for the reports. */
export const quietFlowReader = flowReader({ onFault: () => {}, onCount: () => {} });
