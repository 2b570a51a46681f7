/**
 * 联系方式 of a certificate on its way from the form, where its issuer writes it, to the paper. It is personal, and the
 * page of a certificate is public: so the browser hands it on, once, and a link from outside cannot.
 */

const keyOf = (number: string): string => `yj.contact.${number}`;

/** For the page of this certificate, which is about to be opened. */
export function handContact(number: string, contact: string): void {
  try {
    if (contact.trim()) localStorage.setItem(keyOf(number), contact.trim());
  } catch {
    // Without a store it is written by hand.
  }
}

/** What was handed on; empty where nothing was. */
export function contactFor(number: string): string {
  try {
    const contact = localStorage.getItem(keyOf(number)) ?? '';
    localStorage.removeItem(keyOf(number));
    return contact;
  } catch {
    return '';
  }
}
