import axios from 'axios';

/** RFC 9457, as the edge writes it. */
export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  instance?: string;
  errors?: { field: string; message: string }[];
  /** On 409 of a status change: the moves open to this caller now. */
  allowed?: string[];
}

export type ErrorKind =
  | 'offline'
  | 'unauthenticated'
  | 'forbidden'
  | 'notFound'
  | 'conflict'
  | 'invalid'
  | 'limited'
  | 'unavailable'
  | 'unexpected';

const KINDS: Record<number, ErrorKind> = {
  400: 'invalid',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'notFound',
  409: 'conflict',
  413: 'invalid',
  422: 'invalid',
  429: 'limited',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
};

/** What any request of this app throws. `kind` chooses the sentence shown; `fields` go beside inputs. */
export class ApiError extends Error {
  readonly kind: ErrorKind;
  readonly status: number;
  readonly problem: Problem;
  /** Field path ("items[0].quantity") → message, first message of a field wins. */
  readonly fields: ReadonlyMap<string, string>;
  /** Seconds, from Retry-After. */
  readonly retryAfter: number | null;

  constructor(kind: ErrorKind, status: number, problem: Problem, retryAfter: number | null = null) {
    super(problem.detail ?? problem.title ?? kind);
    this.name = 'ApiError';
    this.kind = kind;
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
    const fields = new Map<string, string>();
    for (const e of problem.errors ?? []) if (!fields.has(e.field)) fields.set(e.field, e.message);
    this.fields = fields;
  }

  /** The id to quote to support, from the edge's logs. */
  get requestId(): string | undefined {
    return this.problem.instance;
  }
}

/** Turns whatever axios threw into an ApiError; anything else becomes `unexpected`. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (!axios.isAxiosError(error)) return new ApiError('unexpected', 0, { detail: String(error) });
  const response = error.response;
  if (!response) return new ApiError('offline', 0, {});
  const problem: Problem = isProblem(response.data) ? response.data : {};
  const seconds = Number(response.headers['retry-after']);
  return new ApiError(
    KINDS[response.status] ?? 'unexpected',
    response.status,
    problem,
    Number.isFinite(seconds) && seconds > 0 ? seconds : null,
  );
}

function isProblem(data: unknown): data is Problem {
  return typeof data === 'object' && data !== null && !Array.isArray(data);
}
