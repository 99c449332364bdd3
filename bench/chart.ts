// The chart docs/benchmarks.svg: panels of grouped bars, drawn by Vega-Lite.

import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { METRICS, type MetricId } from "./figure.ts";
import { medianOf, type FigureResult } from "./results.ts";
import type { ServerKind } from "./servers.ts";

const COLORS = ["#e8590c", "#5c677d", "#a9b4c2"];

interface Panel {
  metric: MetricId;
  title: string;
  figures: string[];
}

const PANELS: readonly Panel[] = [
  {
    metric: "cpu",
    title: "CPU per request, µs (shorter is better)",
    figures: ["set-p16", "get-p16", "incr-p16", "set-p100", "get-p100"],
  },
  {
    metric: "throughput",
    title: "Throughput, requests per second (longer is better)",
    figures: ["ping-p1", "set-p1", "get-p1", "set-p16", "get-p16", "set-p100", "get-p100"],
  },
  {
    metric: "bytesPerKey",
    title: "Memory per key with a value of 32 bytes, bytes (shorter is better)",
    figures: ["memory"],
  },
  {
    metric: "delivered",
    title: "Messages delivered per CPU second (longer is better)",
    figures: ["publish-1", "publish-100", "publish-1000"],
  },
  {
    metric: "p999",
    title: "p99.9 latency, ms (shorter is better)",
    figures: ["set-p1", "get-p1", "latency-10m"],
  },
];

interface Bar {
  figure: string;
  server: string;
  value: number;
}

// Answers undefined when nothing that the chart shows was measured.
export async function drawChart(
  results: readonly FigureResult[],
  kinds: readonly ServerKind[],
): Promise<string | undefined> {
  const panels = PANELS.map((panel) => ({ panel, bars: barsOf(panel, results, kinds) }))
    .filter(({ bars }) => bars.length > 0)
    .map(({ panel, bars }) => panelSpec(panel, bars, kinds));
  if (panels.length === 0) return undefined;
  const spec: TopLevelSpec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: "white",
    padding: 16,
    vconcat: panels,
    config: {
      font: "sans-serif",
      view: { stroke: null },
      axis: {
        labelFontSize: 12,
        labelLimit: 300,
        gridColor: "#e9ecef",
        domain: false,
        ticks: false,
      },
      title: { anchor: "start", fontSize: 13 },
      legend: { orient: "top", labelFontSize: 12, title: null },
    },
  };
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  return await view.toSVG();
}

function barsOf(
  panel: Panel,
  results: readonly FigureResult[],
  kinds: readonly ServerKind[],
): Bar[] {
  const bars: Bar[] = [];
  for (const name of panel.figures) {
    const result = results.find(({ figure }) => figure.name === name);
    if (result === undefined) continue;
    for (const { id, label } of kinds) {
      const value = medianOf(result, id, panel.metric);
      if (value !== undefined) bars.push({ figure: result.figure.title, server: label, value });
    }
  }
  return bars;
}

function panelSpec(panel: Panel, bars: Bar[], kinds: readonly ServerKind[]) {
  const servers = kinds.map(({ label }) => label);
  const digits = Math.min(METRICS[panel.metric].digits, 2);
  const y = { field: "figure", type: "nominal", sort: null, title: null } as const;
  const yOffset = { field: "server", type: "nominal", sort: servers } as const;
  const x = { field: "value", type: "quantitative", title: null } as const;
  return {
    title: panel.title,
    width: 520,
    height: { step: 16 },
    data: { values: bars },
    encoding: { y, yOffset, x },
    layer: [
      {
        mark: { type: "bar" as const },
        encoding: {
          color: {
            field: "server",
            type: "nominal" as const,
            scale: { domain: servers, range: COLORS },
          },
        },
      },
      {
        mark: { type: "text" as const, align: "left" as const, dx: 4, fontSize: 11 },
        encoding: {
          text: { field: "value", type: "quantitative" as const, format: `,.${digits}f` },
        },
      },
    ],
  };
}
