// Redirects as Go's http.Redirect sends them, for clients that print the page.

import { STATUS_CODES } from 'node:http';
import type { Exchange } from './exchange.ts';

/** Sends a redirect; the small page comes with answers to GET and HEAD only. */
export function replyRedirect(exchange: Exchange, location: string, status = 307): void {
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') {
    exchange.reply(status, ['Location', location]);
    return;
  }
  const page = `<a href="${escapeHtml(location)}">${STATUS_CODES[status] ?? ''}</a>.\n\n`;
  exchange.reply(status, ['Content-Type', 'text/html; charset=utf-8', 'Location', location], page);
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&#34;');
}
