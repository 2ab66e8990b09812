import { kinds } from "../services/configs";
import { deliveryStates } from "../services/deliveries";
import { groupings, windows } from "../services/stats";
import { taskStatuses } from "../services/tasks";
import { z } from "../services/zod";

// What the address bar may say, per screen. A value that is not known is as if it were absent.

const word = z.string().optional().catch(undefined);
const kind = z.enum(kinds).optional().catch(undefined);
const status = z.enum(taskStatuses).optional().catch(undefined);

export const loginSearch = z.object({ next: word, code: word, state: word, error: word });

export const overviewSearch = z.object({
  window: z.enum(windows).optional().catch(undefined),
  by: z.enum(groupings).optional().catch(undefined),
  kind,
});

export const configsSearch = z.object({ kind, edit: word, add: word });

export const playgroundSearch = z.object({ kind, model: word, task: word });

export const tasksSearch = z.object({
  view: z.enum(["table", "gallery"]).optional().catch(undefined),
  status,
  kind,
  model: word,
  account: word,
  q: word,
});

export const usageSearch = z.object({
  status,
  kind,
  model: word,
  provider: word,
  config: word,
  account: word,
  code: word,
  since: z.enum(windows).optional().catch(undefined),
});

export const auditSearch = z.object({ action: word, object: word, actor: word });

export const keysSearch = z.object({ account: word, edit: word, add: z.boolean().optional().catch(undefined) });

export const accountsSearch = z.object({ q: word, add: z.boolean().optional().catch(undefined) });

export const accountSearch = z.object({ reason: word });

export const modelsSearch = z.object({ kind, edit: word });

export const webhooksSearch = z.object({ state: z.enum(deliveryStates).optional().catch(undefined), account: word });

export const settingsSearch = z.object({ tab: z.enum(["look", "filter", "notices", "transfer", "about"]).optional().catch(undefined) });
