import { afterAll } from "vitest";
import { stopDesks } from "./app.ts";

// Here and not in `bootDesk`, because vitest ignores a hook registered while another one runs.
afterAll(stopDesks);
