import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldError } from '../../api/schema/errors.ts';
import { asStatusErrors } from './status-errors.ts';

test('sentences of a schema name fields as they are in the status', () => {
  const path = 'status.addresses[0].value';
  const [wrong, composed] = asStatusErrors([
    fieldError.format(path, '1.2.3.4:8080', 'ipv4'),
    fieldError.invalid(
      '',
      '',
      '"status.addresses[0]" must validate one and only one schema (oneOf)',
    ),
  ]);
  assert.equal(wrong?.path, path);
  assert.equal(
    wrong.message,
    'Invalid value: "1.2.3.4:8080": addresses[0].value in body must be of type ipv4: "1.2.3.4:8080"',
  );
  assert.match(composed?.message ?? '', /: "addresses\[0\]" must validate/);
});

test('what somebody wrote is left as it is', () => {
  const error = fieldError.invalid('status.note', 'status.x in body', 'is too long');
  assert.deepEqual(asStatusErrors([error]), [error]);
});
