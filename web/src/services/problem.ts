import { z } from "./zod";

/** One member of a request that the server found wrong. */
export interface FieldError {
  name: string;
  message: string;
}

const wire = z.object({
  title: z.string().nullish(),
  detail: z.string().nullish(),
  code: z.string().nullish(),
  request_id: z.string().nullish(),
  errors: z.array(z.object({ name: z.string(), message: z.string() })).nullish(),
  // The simulator's and the OpenAI-compatible routes' form.
  error: z
    .object({ message: z.string().nullish(), code: z.string().nullish(), field: z.string().nullish() })
    .nullish()
    .catch(null),
});

/** A refusal or failure that the server answered with. */
export class Problem extends Error {
  override name = "Problem";
  readonly status: number;
  readonly code: string;
  readonly fields: FieldError[];
  readonly requestId: string | undefined;
  /** The whole body, for further members such as `current`. */
  readonly body: unknown;

  constructor(status: number, body: unknown, requestId?: string) {
    const read = wire.safeParse(body);
    const told = read.success ? read.data : undefined;
    super(told?.detail ?? told?.error?.message ?? told?.title ?? `HTTP ${status}`);
    this.status = status;
    this.code = told?.code ?? told?.error?.code ?? "";
    this.fields = told?.errors ?? [];
    if (told?.error?.field) this.fields = [{ name: told.error.field, message: told.error.message ?? "" }];
    this.requestId = told?.request_id ?? requestId;
    this.body = body;
  }

  /** Reads the member `current` of a 412: the object as the server has it now. */
  current<T>(schema: z.ZodType<T>): T | undefined {
    const read = z.object({ current: schema }).safeParse(this.body);
    return read.success ? read.data.current : undefined;
  }
}

/** The server could not be reached. */
export class Offline extends Error {
  override name = "Offline";
}

/** The server answered with something that breaks the contract. */
export class BadAnswer extends Error {
  override name = "BadAnswer";
}
