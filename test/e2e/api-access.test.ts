// Who comes in and as whom: by token, by certificate, under another name; and the reviews that ask for it.

import assert from 'node:assert/strict';
import { Agent, request } from 'node:https';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { makeAuthority, makeClientCertificate } from '../../src/certificates/x509.ts';
import { ApiClient } from '../support/api-client.ts';
import { folder, startFairway } from '../support/fairway.ts';
import type { Fairway } from '../support/fairway.ts';
import { accessIn, kubeconfigIn } from '../support/kubectl.ts';
import type { Loose } from '../support/kubectl.ts';

const AUTHENTICATION = '/apis/authentication.k8s.io/v1';
const AUTHORIZATION = '/apis/authorization.k8s.io/v1';

const home = folder({});
let fairway: Fairway;
let kubeconfig: string;
let api: ApiClient;

/** The certificate and key of the kubeconfig. */
function clientPair(): { readonly certificate: string; readonly privateKey: string } {
  const text = readFileSync(kubeconfig, 'utf8');
  const field = (name: string): string =>
    Buffer.from(new RegExp(`${name}: (\\S+)`).exec(text)?.[1] ?? '', 'base64').toString();
  return {
    certificate: field('client-certificate-data'),
    privateKey: field('client-key-data'),
  };
}

/** Asks who one is, without a token of the client's own. */
async function whoami(
  pair: { readonly certificate: string; readonly privateKey: string },
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly user: Loose }> {
  const { url, ca } = accessIn(kubeconfig);
  const agent = new Agent({
    ca,
    cert: pair.certificate,
    key: pair.privateKey,
    servername: 'localhost',
  });
  const body = JSON.stringify({
    kind: 'SelfSubjectReview',
    apiVersion: 'authentication.k8s.io/v1',
  });
  const sent = request(`${url}${AUTHENTICATION}/selfsubjectreviews`, {
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json', ...headers },
  });
  sent.end(body);
  const [response] = (await new Promise<Loose>((resolve, reject) => {
    sent.once('response', (...got) => resolve(got));
    sent.once('error', reject);
  })) as [Loose];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  agent.destroy();
  return { status: response.statusCode, user: JSON.parse(text).status?.userInfo };
}

describe('access to the API', { timeout: 120_000 }, () => {
  before(async () => {
    fairway = await startFairway([], { home: home.path });
    kubeconfig = await kubeconfigIn(home.path);
    api = new ApiClient(kubeconfig);
  });

  after(async () => {
    api.close();
    await fairway.stop();
    home.remove();
  });

  it('is by a certificate of its authority, whose CN and O are the user and the groups', async () => {
    assert.equal(statSync(kubeconfig).mode & 0o777, 0o600);
    const { status, user } = await whoami(clientPair());
    assert.equal(status, 201);
    assert.deepEqual(user, {
      username: 'fairway',
      groups: ['system:masters', 'system:authenticated'],
    });
  });

  it('is not by a certificate of somebody else, but still by the token beside it', async () => {
    const now = new Date();
    const authority = await makeAuthority('Fairway API', now);
    const user = { username: 'fairway', groups: ['system:masters'] };
    const forged = await makeClientCertificate(user, authority, now);
    assert.equal((await whoami(forged)).status, 401);
    const authorization = `Bearer ${api.token}`;
    assert.equal((await whoami(forged, { authorization })).status, 201);
    assert.equal((await whoami(forged, { authorization: 'Bearer nonsense' })).status, 401);
  });

  it('is under another name where a client asks for that', async () => {
    const asked = { 'impersonate-user': 'joe', 'impersonate-group': 'devs' };
    const { user } = await whoami(clientPair(), asked);
    assert.deepEqual(user, { username: 'joe', groups: ['devs', 'system:authenticated'] });
  });

  it('lasts over restarts, with the same keys', async () => {
    const before = readFileSync(kubeconfig, 'utf8');
    await fairway.stop();
    // The next one may have another place for it.
    rmSync(kubeconfig);
    fairway = await startFairway([], { home: home.path });
    kubeconfig = await kubeconfigIn(home.path);
    const keys = (text: string): readonly string[] => text.match(/(?:token|-data): \S+/g) ?? [];
    assert.deepEqual(keys(readFileSync(kubeconfig, 'utf8')), keys(before));
    api.close();
    api = new ApiClient(kubeconfig);
  });

  it('is reviewed: tokens, what one may do, and what all of it is', async () => {
    const token = async (text: string): Promise<Loose> =>
      (await api.create(`${AUTHENTICATION}/tokenreviews`, { spec: { token: text } })).body.status;
    assert.deepEqual(await token(api.token), {
      authenticated: true,
      user: { username: 'fairway', groups: ['system:masters', 'system:authenticated'] },
    });
    const none = await token('nonsense');
    assert.equal(none.authenticated, undefined);
    assert.match(none.error, /not of this server/);
    const rules = await api.create(`${AUTHORIZATION}/selfsubjectrulesreviews`, {
      spec: { namespace: 'default' },
    });
    assert.deepEqual(rules.body.status.resourceRules, [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
    ]);
    const resourceAttributes = { verb: 'get', resource: 'pods' };
    const may = await api.create(`${AUTHORIZATION}/selfsubjectaccessreviews`, {
      spec: { resourceAttributes },
    });
    assert.equal(may.body.status.allowed, true);
  });

  it('refuses reviews that ask nothing, with the field', async () => {
    const refused: readonly (readonly [string, unknown, string])[] = [
      [`${AUTHENTICATION}/tokenreviews`, {}, 'spec.token'],
      [`${AUTHENTICATION}/tokenreviews`, { spec: [] }, 'spec'],
      [`${AUTHORIZATION}/selfsubjectaccessreviews`, { spec: {} }, 'spec.resourceAttributes'],
      [`${AUTHORIZATION}/selfsubjectrulesreviews`, { spec: {} }, 'spec.namespace'],
      [
        `${AUTHORIZATION}/subjectaccessreviews`,
        { spec: { nonResourceAttributes: { path: '/' } } },
        'spec.user',
      ],
    ];
    for (const [path, body, field] of refused) {
      const { status, body: answer } = await api.create(path, body);
      assert.equal(status, 422, path);
      assert.equal(answer.reason, 'Invalid', path);
      assert.equal(answer.details.causes[0].field, field, path);
    }
    for (const body of ['[]', '"x"', '{"kind":"Pod"}', '{"apiVersion":"v2"}']) {
      const { status } = await api.create(`${AUTHENTICATION}/tokenreviews`, body);
      assert.equal(status, 400, body);
    }
    assert.equal((await api.get(`${AUTHENTICATION}/tokenreviews`)).status, 405);
  });
});
