import { expect, test } from "bun:test";
import { formatFixed, leadingInteger, leadingNumber } from "../../../src/tools/numbers.ts";

test.each([
  ["12", 12],
  [" -3x", -3],
  ["+7", 7],
  ["x", 0],
  ["", 0],
  ["1e3", 1],
])("the integer at the beginning of %j", (text, value) => {
  expect(leadingInteger(text)).toBe(value);
});

test.each([
  ["0.1", 0.1],
  [".5s", 0.5],
  ["1e-3", 0.001],
  ["-2.", -2],
  ["x", 0],
])("the number at the beginning of %j", (text, value) => {
  expect(leadingNumber(text)).toBe(value);
});

test.each([
  [0.125, 2, 0, "0.12"],
  [0.375, 2, 0, "0.38"],
  [0.135, 2, 0, "0.14"],
  [2.5, 0, 0, "2"],
  [3.5, 0, 0, "4"],
  [0, 2, 5, "00.00"],
  [7.5, 2, 5, "07.50"],
  [100, 2, 5, "100.00"],
  [-1.5, 1, 5, "-01.5"],
  [Number.NaN, 2, 0, "nan"],
  [-Infinity, 2, 0, "-inf"],
])("%p with %p digits and width %p", (value, digits, width, text) => {
  expect(formatFixed(value, digits, width)).toBe(text);
});
