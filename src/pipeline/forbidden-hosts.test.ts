import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Backend } from '../model/model.ts';
import type { ForbiddenHost } from '../targets/proxy/messages.ts';
import { forbiddenHostFindings } from './forbidden-hosts.ts';

const backend: Backend = {
  key: 'XBackend n/b',
  protocol: 'http',
  host: { name: 'a.example', port: 80 },
  endpoints: [],
  origin: { kind: 'XBackend', namespace: 'n', name: 'b', field: 'spec' },
};
const backends = new Map([[backend.key, backend]]);
const forbidden: ForbiddenHost = {
  backend: backend.key,
  name: 'a.example',
  address: '127.0.0.1',
  why: 'the machine itself',
  isOurs: false,
};

it('names the object, the host, the address, and what to do', () => {
  const [finding, ...others] = forbiddenHostFindings({ backends }, [forbidden]);
  assert.deepEqual(others, []);
  assert.deepEqual(finding?.origin, {
    object: { kind: 'XBackend', namespace: 'n', name: 'b' },
    field: 'spec',
  });
  assert.match(
    finding?.message ?? '',
    /a\.example: its address 127\.0\.0\.1 is the machine itself/,
  );
  assert.match(finding?.hint ?? '', /externalBackends\.allowNetworks/);
});

it('does not advise to let in what we listen on ourselves', () => {
  const [finding] = forbiddenHostFindings({ backends }, [{ ...forbidden, isOurs: true }]);
  assert.doesNotMatch(finding?.hint ?? '', /allowNetworks/);
});

it('says nothing of a backend that is gone or has another host by now', () => {
  assert.deepEqual(forbiddenHostFindings({ backends: new Map() }, [forbidden]), []);
  const other = { ...forbidden, name: 'b.example' };
  assert.deepEqual(forbiddenHostFindings({ backends }, [other]), []);
});
