/** Printing of a certificate, with the contact that its issuer has just written; that is on no server page. */

import { contactFor } from './contact';
import { offerViews } from './view';

const [print, place] = [document.querySelector<HTMLButtonElement>('#print'), document.querySelector<HTMLElement>('#contact')];
const number = decodeURIComponent(location.pathname.split('/').pop() ?? '');
if (place) {
  void contactFor(number).then((contact) => {
    place.textContent = contact;
  });
}
if (print) {
  print.hidden = false;
  print.addEventListener('click', () => window.print());
}
const switches = document.querySelector<HTMLElement>('#switches');
if (switches) offerViews(switches);
