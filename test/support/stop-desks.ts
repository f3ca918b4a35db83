import { afterAll } from "vitest";
import { stopDesks } from "./app.ts";

// Here and not in `bootDesk`: a hook that is registered while another one runs is not heeded.
afterAll(stopDesks);
