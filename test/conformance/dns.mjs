// Stands in for CoreDNS, whose image the suite runs as the backend of UDPRoutes: answers every question
// for an address with the pod's own, as its plugin `whoami` tells who answered.

import { createSocket } from 'node:dgram';

const HEADER_BYTES = 12;
const address = process.env.FAIRWAY_POD_IP ?? '127.0.0.1';
const socket = createSocket('udp4');

socket.on('message', (query, from) => {
  const answer = reply(query);
  if (answer !== undefined) socket.send(answer, from.port, from.address);
});
socket.bind(53, address);

/** The question again, with one A record that points to it (RFC 1035 4.1). */
function reply(query) {
  if (query.length < HEADER_BYTES || query.readUInt16BE(4) !== 1) return undefined;
  let end = HEADER_BYTES;
  while (end < query.length && query[end] !== 0) end += query[end] + 1;
  end += 5;
  if (end > query.length) return undefined;
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8580, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(1, 6);
  const record = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
  const data = Buffer.from(address.split('.').map(Number));
  return Buffer.concat([header, query.subarray(HEADER_BYTES, end), record, data]);
}
