/// <reference types="vite/client" />

interface ImportMetaEnv {
  /** Where the REST API is, for development against a fleet elsewhere. Default: the page's own origin. */
  readonly VITE_API_URL?: string;
  /** Where Socket.IO is. Default: the page's own origin. */
  readonly VITE_TRACKING_URL?: string;
}
