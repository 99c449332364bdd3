// All figures, group by group.

import type { Figure } from "./figure.ts";
import { ENGINE_FIGURES } from "./figures-engine.ts";

export const FIGURES: readonly Figure[] = [...ENGINE_FIGURES];
