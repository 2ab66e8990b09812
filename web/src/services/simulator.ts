import { queryOptions } from "@tanstack/react-query";
import { command, request } from "./http";
import { count, list, maybe, text, z } from "./zod";

const wire = z.object({
  providers: z.record(
    z.string(),
    z.object({
      calls: count,
      submits: count,
      refusals: count,
      fault: maybe(z.object({ fault: z.string(), times: count, delay_ms: count, on: text })),
    }),
  ),
  fault_names: list(z.string()),
});

/** A fault that is switched on; times 0 means until it is removed. */
export interface Fault {
  fault: string;
  times: number;
  delayMs: number;
}

/** The simulated providers of the local mode. */
export interface Simulator {
  faultNames: string[];
  providers: { name: string; calls: number; submits: number; refusals: number; fault: Fault | undefined }[];
}

function toSimulator(w: z.output<typeof wire>): Simulator {
  return {
    faultNames: w.fault_names,
    providers: Object.entries(w.providers).map(([name, p]) => ({
      name,
      calls: p.calls,
      submits: p.submits,
      refusals: p.refusals,
      fault: p.fault && { fault: p.fault.fault, times: p.fault.times, delayMs: p.fault.delay_ms },
    })),
  };
}

export const simulatorKeys = { all: ["simulator"] as const };

export const simulatorQuery = queryOptions({
  queryKey: simulatorKeys.all,
  queryFn: ({ signal }) => request(wire.transform(toSimulator), "simulator", { signal }),
  refetchInterval: 5_000,
});

const path = (provider: string) => `simulator/${encodeURIComponent(provider)}/fault`;

export const setFault = (provider: string, fault: Fault) =>
  command(path(provider), { method: "PUT", body: { fault: fault.fault, times: fault.times, delay_ms: fault.delayMs } });

export const clearFault = (provider: string) => command(path(provider), { method: "DELETE" });
