import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSnippet } from './snippets.ts';

describe('snippets', () => {
  it('set headers, answer, and let addresses in', () => {
    const { unknown, ...snippet } = parseSnippet(`
      # comment; with a semicolon
      more_set_headers "X-A: b; c" 'X-B: d';
      add_header X-C "e" always;
      proxy_set_header X-D $remote_addr;
      proxy_hide_header X-Powered-By;
      allow 10.0.0.0/8; deny all;
      gzip on;
      return 403;`);
    assert.deepEqual(unknown, []);
    assert.deepEqual(snippet, {
      requestSet: [{ name: 'x-d', value: [{ of: 'client' }] }],
      responseSet: [
        { name: 'x-a', value: 'b; c' },
        { name: 'x-b', value: 'd' },
      ],
      responseAdd: [{ name: 'x-c', value: 'e' }],
      responseRemove: ['x-powered-by'],
      allow: ['10.0.0.0/8'],
      deny: [],
      deniesAll: true,
      answer: { statusCode: 403, text: '' },
      passedOver: ['gzip'],
    });
  });

  const unknown = [
    'access_by_lua_block { ngx.exit(403) }',
    'if ($http_x = y) { return 403; }',
    'rewrite ^/a /b;',
    'add_header X-A $upstream_addr;',
    'proxy_set_header X-A $ssl_client_cert;',
    'proxy_pass http://elsewhere;',
    'return 200 "a',
    'more_set_headers "X-A: $host";',
    'allow 10.0.0.0/8; deny 10.1.0.0/16;',
    'return abc;',
  ];
  for (const text of unknown) {
    it(`names what it does not understand: ${text}`, () => {
      assert.equal(parseSnippet(text).unknown.length, 1);
    });
  }
});
