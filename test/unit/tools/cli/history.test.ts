import { expect, test } from "bun:test";
import { isSensitive } from "../../../../src/tools/cli/history.ts";

test.each([
  "auth p",
  "AUTH u p",
  "acl setuser u >p",
  "acl getuser u",
  "config set requirepass p",
  "config set maxmemory 1 masterauth p",
  "hello 3 auth u p",
  "hello 3 setname n AUTH u p",
  "migrate h 1 k 0 10 auth p",
  "migrate h 1 k 0 10 copy auth2 u p",
  "sentinel set m auth-pass p",
  "sentinel config set sentinel-pass p",
])("%p is kept out of the file", (line) => {
  expect(isSensitive(line.split(" "))).toBe(true);
});

test.each([
  "get auth",
  "acl list",
  "config get requirepass",
  "config set maxmemory requirepass",
  "hello 3 setname auth",
  "hello 3",
  "migrate h 1 k 0 10 keys auth p",
  "sentinel set m quorum 2",
])("%p is written to the file", (line) => {
  expect(isSensitive(line.split(" "))).toBe(false);
});
