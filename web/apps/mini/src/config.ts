/** Written by the build: who publishes this mini-program. */
declare const YJ_PLATFORM: string;
declare const YJ_FINGERPRINT: string;

/** Address of the platform, without a slash at its end; empty where none is asked. */
export const PLATFORM: string = YJ_PLATFORM;
/** Fingerprint of the chain that is trusted unless the reader says otherwise; empty for none. */
export const FINGERPRINT: string = YJ_FINGERPRINT;
