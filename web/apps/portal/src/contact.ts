/**
 * 联系方式 of a certificate on its way from the form, where its issuer writes it, to the paper. It is personal, and the
 * page of a certificate is public: so the form hands it to the page that it opens, once, and a link from outside has
 * nothing to ask. It passes from window to window and is stored nowhere: a page that is never opened leaves nothing.
 */

/** How long the page that was opened may take to ask. */
const WAIT_MS = 60_000;
/** How long a page waits for an answer; where the form is, it comes at once. */
const ANSWER_MS = 3_000;
const named = (number: string): string => `yj.contact.${number}`;

/** For the page of this certificate, which is about to be opened. Without a channel it is written by hand. */
export function handContact(number: string, contact: string): void {
  if (!contact.trim() || typeof BroadcastChannel === 'undefined') return;
  const channel = new BroadcastChannel(named(number));
  const waiting = setTimeout(() => channel.close(), WAIT_MS);
  channel.onmessage = ({ data }) => {
    if (data !== null) return;
    clearTimeout(waiting);
    channel.postMessage(contact.trim());
    channel.close();
  };
}

/** What is handed on; empty where nothing is. */
export function contactFor(number: string): Promise<string> {
  if (typeof BroadcastChannel === 'undefined') return Promise.resolve('');
  const channel = new BroadcastChannel(named(number));
  return new Promise((resolve) => {
    const end = (contact: string): void => {
      clearTimeout(waiting);
      channel.close();
      resolve(contact);
    };
    const waiting = setTimeout(() => end(''), ANSWER_MS);
    channel.onmessage = ({ data }) => {
      if (typeof data === 'string') end(data);
    };
    channel.postMessage(null);
  });
}
