// The bookshop's API: the books there are.

import { createServer } from 'node:http';

const books = [
  { title: 'The Left Hand of Darkness', author: 'Ursula K. Le Guin' },
  { title: 'The Master and Margarita', author: 'Mikhail Bulgakov' },
  { title: 'Things Fall Apart', author: 'Chinua Achebe' },
];

const server = createServer((request, response) => {
  if (request.url === '/healthz') {
    response.end('ok\n');
    return;
  }
  console.log(
    `${request.method} ${request.url} through ${request.headers['x-served-through'] ?? 'nothing'}`,
  );
  response.setHeader('content-type', 'application/json').end(`${JSON.stringify(books)}\n`);
});

server.listen(3000, () => console.log('books listens'));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
