// The bookshop's pages. Reads the books from the API, which it finds as any pod finds a Service of its
// namespace: by the variables Kubernetes sets.

import { createServer } from 'node:http';

const {
  VERSION = '1',
  GREETING = '',
  BOOKS_SERVICE_HOST,
  BOOKS_SERVICE_PORT,
  HOSTNAME,
} = process.env;
const booksUrl = `http://${BOOKS_SERVICE_HOST}:${BOOKS_SERVICE_PORT}/api/books`;

async function page() {
  const books = await fetch(booksUrl).then((response) => response.json());
  const items = books.map(({ title, author }) => `<li><em>${title}</em>, ${author}</li>`);
  return `<!doctype html>
<title>Bookshop ${VERSION}</title>
<h1>Bookshop, version ${VERSION}</h1>
<p>${GREETING}</p>
<ul>${items.join('')}</ul>
<footer>Served by ${HOSTNAME}</footer>
`;
}

const server = createServer(async (request, response) => {
  if (request.url === '/healthz') {
    response.end('ok\n');
    return;
  }
  try {
    const body = await page();
    response.setHeader('content-type', 'text/html; charset=utf-8').end(body);
  } catch (error) {
    console.error(`no books from ${booksUrl}: ${error.cause?.message ?? error.message}`);
    response.writeHead(502).end('The shelves cannot be reached.\n');
  }
});

server.listen(3000, () => console.log(`storefront ${VERSION} listens`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
