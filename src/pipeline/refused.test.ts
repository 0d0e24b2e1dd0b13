import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../api/finding.ts';
import { tellRefused } from './refused.ts';

const refusal: Finding = {
  severity: 'error',
  reason: 'Invalid',
  message: 'data[tls.key]: Required value',
  origin: {
    object: { kind: 'Secret', namespace: 'shop', name: 'tls' },
    position: { file: 'web.yaml', line: 12, column: 3 },
  },
};

const missing = (message: string): Finding => ({
  severity: 'error',
  reason: 'InvalidCertificateRef',
  message,
  hint: 'create it',
  origin: { object: { kind: 'Gateway', namespace: 'shop', name: 'web' }, field: 'spec' },
});

test('what was refused is not said to be missing', () => {
  const [told] = tellRefused([refusal], [missing('listener "a": Secret shop/tls does not exist')]);
  assert.equal(told?.message, 'listener "a": Secret shop/tls was refused at web.yaml:12:3');
  assert.equal(told.hint, 'it is there, and not valid: data[tls.key]: Required value');
});

test('what is missing is said to be', () => {
  const finding = missing('Secret shop/other does not exist');
  assert.deepEqual(tellRefused([refusal], [finding]), [finding]);
});

test('a warning is no refusal', () => {
  const finding = missing('Secret shop/tls does not exist');
  assert.deepEqual(tellRefused([{ ...refusal, severity: 'warning' }], [finding]), [finding]);
});
