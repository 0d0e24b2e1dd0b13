import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageMatches, mappingFor } from './image.ts';

const CASES: readonly (readonly [pattern: string, image: string, matches: boolean])[] = [
  ['ghcr.io/acme/shop', 'ghcr.io/acme/shop', true],
  ['ghcr.io/acme/shop', 'ghcr.io/acme/shop:1.2', true],
  ['ghcr.io/acme/shop', 'ghcr.io/acme/shop@sha256:abc', true],
  ['ghcr.io/acme/shop', 'ghcr.io/acme/shop:1.2@sha256:abc', true],
  ['ghcr.io/acme/shop', 'ghcr.io/acme/shop-admin', false],
  ['ghcr.io/acme/shop:1.2', 'ghcr.io/acme/shop:1.2', true],
  ['ghcr.io/acme/shop:1.2', 'ghcr.io/acme/shop:1.3', false],
  ['ghcr.io/acme/*', 'ghcr.io/acme/shop:1.2', true],
  ['ghcr.io/*/shop', 'ghcr.io/a/b/shop:1', true],
  ['ghcr.io/*/shop', 'ghcr.io/shop', false],
  ['*shop*', 'example.com/workshop-api:1', true],
  ['*a*a', 'a', false],
  ['*', 'anything:1', true],
  ['localhost:5000/shop', 'localhost:5000/shop:1', true],
  ['localhost:5000/shop', 'localhost:5001/shop', false],
  ['nginx', 'docker.io/library/nginx:1.27', true],
  ['docker.io/library/nginx', 'nginx', true],
  ['nginx', 'example.com/nginx', false],
];

for (const [pattern, image, matches] of CASES) {
  test(`${pattern} ${matches ? 'takes' : 'does not take'} ${image}`, () => {
    assert.equal(imageMatches(pattern, image), matches);
  });
}

test('the first mapping that takes an image counts', () => {
  const mappings = [
    { image: 'shop/api', command: 'first' },
    { image: 'shop/*', command: 'second' },
  ];
  assert.equal(mappingFor('shop/api:1', mappings)?.command, 'first');
  assert.equal(mappingFor('shop/web:1', mappings)?.command, 'second');
  assert.equal(mappingFor('other', mappings), undefined);
});
