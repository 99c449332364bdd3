/**
 * Hints: the arguments that may still follow what is typed of a command.
 *
 * The words typed are matched against the command's argument tree. Then the tree is written down as
 * a syntax description, leaving out what has been matched:
 *
 *   XRANGE k 4 2 COUNT        ->  [COUNT count]
 *   XRANGE k 4 2 COUNT 7      ->  (nothing)
 *
 * Neighbouring optional arguments may come in any order, so they are matched as a group. There is
 * no backtracking: an argument takes the words it can. The results are valkey-cli's, whose test
 * suite of hints the tests run.
 */
import type { CommandArgument } from "../../commands/docs/types.ts";

/** An argument with what of it has been typed. */
interface Node {
  readonly argument: CommandArgument;
  readonly children: readonly Node[];
  /** Words matched by it. */
  count: number;
  hasToken: boolean;
  hasValue: boolean;
  /** Nothing of it can follow. */
  isComplete: boolean;
}

/** The whole syntax of a command's arguments. */
export function describeArguments(args: readonly CommandArgument[]): string {
  return describeList(args.map(newNode), " ", "");
}

/** What may follow the words behind the command's name; "" if they do not fit. */
export function hintFor(args: readonly CommandArgument[], words: readonly string[]): string {
  const nodes = args.map(newNode);
  const matched = words.length === 0 ? 0 : matchList(nodes, words);
  return matched === words.length ? describeList(nodes, " ", "") : "";
}

function newNode(argument: CommandArgument): Node {
  return {
    argument,
    children: (argument.children ?? []).map(newNode),
    count: 0,
    hasToken: false,
    hasValue: false,
    isComplete: false,
  };
}

function reset(node: Node): void {
  node.count = 0;
  node.hasToken = false;
  node.hasValue = false;
  node.isComplete = false;
  for (const child of node.children) reset(child);
}

/** Matches words against arguments in order; returns how many, 0 if a required one does not fit. */
function matchList(nodes: readonly Node[], words: readonly string[]): number {
  let word = 0;
  for (let at = 0; at < nodes.length && word < words.length;) {
    const end = endOfOptional(nodes, at);
    if (end > at) {
      word += matchOptional(nodes.slice(at, end), words.slice(word));
      at = end;
      continue;
    }
    const matched = match(nodes[at], words.slice(word));
    if (matched === 0) return 0;
    word += matched;
    at++;
  }
  return word;
}

/** The end of the optional arguments that begin at the index. */
function endOfOptional(nodes: readonly Node[], start: number): number {
  let end = start;
  while (end < nodes.length && nodes[end].argument.isOptional) end++;
  return end;
}

function matchOptional(nodes: readonly Node[], words: readonly string[]): number {
  let word = 0;
  let last: Node | null = null;
  while (word < words.length) {
    let matched = 0;
    const node = nodes.find((each) => {
      if (each.count === 0) matched = match(each, words.slice(word));
      return matched > 0;
    });
    if (node === undefined) break;
    // The next one has begun, so the previous one is over.
    if (last !== null) last.isComplete = true;
    last = node;
    word += matched;
  }
  return word;
}

/** Matches an argument as often as it may be repeated; returns the number of words. */
function match(node: Node, words: readonly string[]): number {
  let matched = matchOnce(node, words);
  if (!node.argument.isMultiple) return matched;
  while (node.isComplete && matched < words.length) {
    reset(node);
    const rest = words.slice(matched);
    if (node.argument.token !== undefined && !node.argument.repeatsToken) {
      matched += matchValue(node, rest);
      // The token stands before the first only.
      if (node.count > 0) node.hasToken = true;
    } else {
      matched += matchOnce(node, rest);
    }
  }
  // More may always follow.
  node.isComplete = false;
  return matched;
}

function matchOnce(node: Node, words: readonly string[]): number {
  const { token, type } = node.argument;
  if (token === undefined) return matchValue(node, words);
  if (token.toLowerCase() !== words[0].toLowerCase()) return 0;
  node.hasToken = true;
  node.count = 1;
  if (type === "pure-token") {
    node.isComplete = true;
    return 1;
  }
  return words.length === 1 || matchValue(node, words.slice(1)) > 0 ? node.count : 0;
}

/** Matches what comes behind the token. */
function matchValue(node: Node, words: readonly string[]): number {
  switch (node.argument.type) {
    case "block":
      node.count += matchList(node.children, words);
      node.isComplete = node.children.every((child) => child.isComplete);
      return node.count;
    case "oneof": {
      const chosen = node.children.find((child) => match(child, words) > 0);
      if (chosen !== undefined) {
        node.count += chosen.count;
        node.isComplete = chosen.isComplete;
      }
      return node.count;
    }
    case "integer":
    case "unix-time":
      return setValue(node, /^\s*[+-]?\d/.test(words[0]));
    case "double":
      return setValue(node, /^\s*[+-]?(\d|\.\d|inf|nan)/i.test(words[0]));
    default:
      return setValue(node, true);
  }
}

function setValue(node: Node, isMatch: boolean): number {
  node.hasValue = isMatch;
  node.count = isMatch ? node.count + 1 : 0;
  if (isMatch) node.isComplete = true;
  return node.count;
}

/** Appends what is missing of the arguments. */
function describeList(nodes: readonly Node[], separator: string, before: string): string {
  let text = before;
  let length = text.length;
  const add = (node: Node, isLast: boolean): void => {
    text = describe(node, text);
    if (text.length === length || isLast) return;
    text += separator;
    length = text.length;
  };
  for (let at = 0; at < nodes.length;) {
    const end = endOfOptional(nodes, at);
    if (end === at) {
      add(nodes[at], at === nodes.length - 1);
      at++;
      continue;
    }
    // What has been begun comes first. What has been passed over cannot follow any more.
    const group = nodes.slice(at, end);
    const begun = group.filter((node) => node.count > 0 && !node.isComplete);
    for (const node of begun) add(node, at === nodes.length - 1);
    if (end === nodes.length || nodes[end].count === 0) {
      for (const [index, node] of group.entries()) {
        if (node !== begun.at(-1)) add(node, at + index === nodes.length - 1);
      }
    }
    at = end;
  }
  return text;
}

/** Appends what is missing of one argument. */
function describe(node: Node, before: string): string {
  if (node.isComplete) return before;
  const { argument } = node;
  const isBracketed = argument.isOptional === true && node.count === 0;
  let text = before + (isBracketed ? "[" : "");
  if (argument.token !== undefined && !node.hasToken) {
    text += nameOrQuotes(argument.token) + (argument.type === "pure-token" ? "" : " ");
  }
  switch (argument.type) {
    case "oneof":
      if (node.count === 0) text = describeList(node.children, "|", text);
      else for (const child of node.children) if (child.count > 0) text = describe(child, text);
      break;
    case "block":
      text = describeList(node.children, " ", text);
      break;
    case "pure-token":
      break;
    default:
      if (!node.hasValue) text += nameOrQuotes(argument.displayText ?? argument.name);
  }
  if (argument.isMultiple) text = describeRepetition(node, text);
  // Shown in full again by its repetition, it is closed even if it was not opened: valkey-cli's way.
  return text + (argument.isOptional === true && node.count === 0 ? "]" : "");
}

/** "[key ...]": it is shown whole, whatever has been typed. */
function describeRepetition(node: Node, before: string): string {
  const { argument } = node;
  reset(node);
  let text = `${before}${before === "" ? "" : " "}[`;
  if (argument.repeatsToken && argument.token !== undefined) {
    text += nameOrQuotes(argument.token) + (argument.type === "pure-token" ? "" : " ");
  }
  if (argument.type === "oneof") text = describeList(node.children, "|", text);
  else if (argument.type === "block") text = describeList(node.children, " ", text);
  else if (argument.type !== "pure-token") {
    text += nameOrQuotes(argument.displayText ?? argument.name);
  }
  return `${text} ...]`;
}

/** An empty name, such as the token of XADD's ID, is shown as two quotes. */
function nameOrQuotes(name: string): string {
  return name === "" ? '""' : name;
}
