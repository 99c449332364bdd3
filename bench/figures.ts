// All figures, group by group.

import type { Figure } from "./figure.ts";
import { CLIENTS_FIGURES } from "./figures-clients.ts";
import { ENGINE_FIGURES } from "./figures-engine.ts";
import { PERSISTENCE_FIGURES } from "./figures-persistence.ts";
import { TYPES_FIGURES } from "./figures-types.ts";

export const FIGURES: readonly Figure[] = [
  ...ENGINE_FIGURES,
  ...TYPES_FIGURES,
  ...CLIENTS_FIGURES,
  ...PERSISTENCE_FIGURES,
];
