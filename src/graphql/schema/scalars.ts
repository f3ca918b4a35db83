import { GraphQLError, valueFromASTUntyped } from "graphql";
import { builder } from "./builder.ts";

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|[+-](\d\d):(\d\d))$/i;

builder.scalarType("DateTime", {
  description:
    "An RFC 3339 timestamp with millisecond precision. Returned in UTC, for example `2026-01-31T09:30:00.000Z`.",
  serialize: (date) => date.toISOString(),
  parseValue: parseDateTime,
});

builder.scalarType("Cursor", {
  description: "An opaque position in the workspace's event log.",
  serialize: String,
  parseValue: (value) => {
    if (typeof value !== "string") throw new GraphQLError("A Cursor must be a string.");
    return value;
  },
});

builder.scalarType("JSON", {
  description: "Any JSON value.",
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});

function parseDateTime(value: unknown): Date {
  const parts = typeof value === "string" ? RFC_3339.exec(value) : null;
  if (typeof value !== "string" || parts === null) throw invalidDateTime();
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number);
  const [offsetHour, offsetMinute] = parts.slice(8, 10).map((part) => Number(part ?? 0));
  // `Date` would accept 24:00 and roll 30 February over to March.
  const calendarDate = new Date(Date.UTC(2000, 0, 1));
  calendarDate.setUTCFullYear(year ?? 0, (month ?? 0) - 1, day);
  const exists =
    calendarDate.getUTCMonth() + 1 === month &&
    calendarDate.getUTCDate() === day &&
    (hour ?? 24) < 24 &&
    (minute ?? 60) < 60 &&
    (second ?? 60) < 60 &&
    (offsetHour ?? 0) < 24 &&
    (offsetMinute ?? 0) < 60;
  const date = new Date(value.toUpperCase());
  // PostgreSQL has no year 0; RFC 3339 ends with the year 9999.
  if (!exists || Number.isNaN(date.getTime()) || date.getUTCFullYear() < 1 || date.getUTCFullYear() > 9_999) {
    throw invalidDateTime();
  }
  return date;
}

function invalidDateTime(): GraphQLError {
  return new GraphQLError("A DateTime must be an RFC 3339 string with a time zone, such as 2026-01-31T09:30:00Z.");
}
