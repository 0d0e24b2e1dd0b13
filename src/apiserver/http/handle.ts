// A request to the API → its answer: documents about the API itself, or a verb on a resource.

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Namespace } from '../../api/core/namespace.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import { answerDiscovery } from '../discovery/answer.ts';
import type { Conversion } from '../discovery/negotiate.ts';
import { LIST_CONVERSIONS, negotiate, OBJECT_CONVERSIONS } from '../discovery/negotiate.ts';
import { versionInfo } from '../discovery/version.ts';
import { answerOpenApi } from '../openapi/answer.ts';
import { APPLY_PATCH, applyPatch, JSON_PATCH, patchTypes } from '../patch/patch.ts';
import type { JsonObject } from '../patch/values.ts';
import { deleted, Failure, failure } from '../failure.ts';
import type { Status } from '../failure.ts';
import { readDeleteOptions, readDryRun } from '../registry/deletion.ts';
import { isEvictable, readEviction } from '../registry/eviction.ts';
import type { Reader } from '../registry/reader.ts';
import type { Resource, Resources } from '../registry/resources.ts';
import { reviewOf } from '../registry/reviews.ts';
import { readScale, scaleOf, withScale } from '../registry/scale.ts';
import type { FieldValidation, WriteContext, Writer } from '../registry/writer.ts';
import { parseResourcePath } from '../request.ts';
import type { ResourceRequest } from '../request.ts';
import { parseSelectors } from '../select.ts';
import { selectableFields } from '../select-fields.ts';
import { jsonOddities, mediaType, parseJson, parseYaml } from './body.ts';
import { readBody, readChecked, readObject } from './body.ts';
import type { Parsed } from './body.ts';
import { compressLarge } from './compress.ts';
import { userOf } from './identity.ts';
import type { Identity } from './identity.ts';
import { checkListOptions, checkNotAhead, checkWatchOptions } from './list-options.ts';
import { createPresenter } from './present.ts';
import type { Form, Presenter } from './present.ts';
import { sendJson, sendObject, sendList, sendStatus, sendText } from './send.ts';
import type { Handler } from './server.ts';
import { serveWatch } from './serve-watch.ts';
import type { WatchServices } from './serve-watch.ts';

export interface HandlerOptions extends WatchServices {
  readonly resources: Resources;
  readonly reader: Reader;
  readonly writer: Writer;
  /** Resolves when everything written so far is on disk. */
  readonly flush: () => Promise<void>;
  /** Subresources that are streams: logs, exec, proxies. */
  readonly streams: Streams;
  /** Whom a token lets in; undefined for none of ours. */
  readonly userFor: (token: string) => Identity | undefined;
  /** Fairway's own. */
  readonly version: string;
  readonly now: () => Date;
}

/** A document about the API itself. */
interface Document {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What serves the parts of pods and Services that are no objects. */
export interface Streams {
  /** False when it is none of these. */
  serve(
    request: IncomingMessage,
    response: ServerResponse,
    asked: ResourceRequest,
    query: URLSearchParams,
  ): Promise<boolean>;
  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    asked: ResourceRequest,
    query: URLSearchParams,
  ): Promise<boolean>;
}

/** One request to a resource, as far as it is understood. */
interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly asked: ResourceRequest;
  readonly resource: Resource;
}

export function createHandler(options: HandlerOptions): Handler {
  return new ApiHandler(options);
}

class ApiHandler implements Handler {
  readonly #options: HandlerOptions;

  constructor(options: HandlerOptions) {
    this.#options = options;
  }

  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    identity: Identity,
  ): Promise<void> {
    const path = url.pathname.length > 1 ? url.pathname.replace(/\/$/, '') : url.pathname;
    if (this.#aboutApi(request, response, path, url.searchParams)) return;
    const asked = parseResourcePath(path);
    if (asked === undefined) throw failure.noSuchPath();
    const query = url.searchParams;
    if (await this.#review(request, response, asked, identity)) return;
    const resource = this.#options.resources.find(asked.group, asked.version, asked.plural);
    if (resource === undefined) throw failure.noSuchPath();
    checkScope(resource.kind, asked);
    const call: Call = { request, response, query, asked, resource };
    const { deprecationWarning } = resource.kind;
    if (deprecationWarning !== undefined) warn(response, deprecationWarning);
    if (asked.subresource === 'scale' && isScaled(resource.kind)) await this.#scale(call);
    else if (asked.subresource === 'eviction' && isEvictable(resource.kind))
      await this.#evict(call);
    else if (asked.subresource === '' || hasPart(resource.kind, asked.subresource)) {
      await this.#resource(call);
    } else if (!(await this.#options.streams.serve(request, response, asked, query))) {
      throw failure.noSuchPath();
    }
  }

  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, url: URL): Promise<void> {
    const asked = parseResourcePath(url.pathname);
    const { streams } = this.#options;
    const isServed =
      asked !== undefined &&
      (await streams.upgrade(request, socket, head, asked, url.searchParams));
    if (!isServed) throw failure.noSuchPath();
  }

  /** Documents about the API itself. False when the path is of something else. */
  #aboutApi(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    query: URLSearchParams,
  ): boolean {
    if (HEALTH_PATHS.has(path)) {
      sendText(response, 200, 'text/plain; charset=utf-8', 'ok');
      return true;
    }
    const { headers, method } = request;
    const document = this.#document(path, headers, query);
    if (document === undefined) return false;
    if (method !== 'GET' && method !== 'HEAD') throw failure.methodNotAllowed();
    if (method === 'GET') compressLarge(request, response);
    response.writeHead(document.status, {
      ...document.headers,
      ...(document.status === 304 ? {} : { 'content-length': Buffer.byteLength(document.body) }),
    });
    response.end(document.body);
    return true;
  }

  #document(
    path: string,
    headers: IncomingHttpHeaders,
    query: URLSearchParams,
  ): Document | undefined {
    const { resources, version } = this.#options;
    if (path === '/version') {
      const platform = `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`;
      const info = versionInfo({ version, platform, userAgent: headers['user-agent'] });
      return {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(info),
      };
    }
    if (path === '/') {
      const groups = resources.kinds.flatMap(({ group, versions }) =>
        group === '' ? [] : [`/apis/${group}`, ...versions.map((v) => `/apis/${group}/${v}`)],
      );
      const own = ['/api', '/api/v1', '/apis', '/openapi/v2', '/openapi/v3', '/version'];
      const paths = [...new Set([...own, ...groups, ...HEALTH_PATHS])].toSorted();
      return {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ paths }),
      };
    }
    const asked = { path, accept: headers.accept, ifNoneMatch: headers['if-none-match'] };
    return (
      answerDiscovery(resources.kinds, { ...asked, serverAddress: headers.host }) ??
      answerOpenApi(resources.kinds, { ...asked, hash: query.get('hash') ?? undefined })
    );
  }

  /** Questions about what one may do: everything, to whoever was let in. */
  async #review(
    request: IncomingMessage,
    response: ServerResponse,
    asked: ResourceRequest,
    identity: Identity,
  ): Promise<boolean> {
    const review = reviewOf(asked);
    if (review === undefined) return false;
    if (request.method !== 'POST') throw failure.methodNotAllowed();
    const user = userOf(identity, request.headers);
    const body = await readObject(request);
    sendJson(response, 201, review(body, { user, userFor: this.#options.userFor }));
    return true;
  }

  async #resource(call: Call): Promise<void> {
    const { request, asked } = call;
    const isCollection = asked.name === '';
    switch (request.method) {
      case 'HEAD':
      case 'GET':
        if (request.method === 'GET') compressLarge(request, call.response);
        return isCollection ? this.#list(call) : this.#get(call);
      case 'POST':
        if (isCollection) return this.#create(call);
        break;
      case 'PUT':
        if (!isCollection) return this.#update(call);
        break;
      case 'PATCH':
        if (!isCollection) return this.#patch(call);
        break;
      case 'DELETE':
        if (asked.subresource !== '') break;
        if (!isCollection) return this.#delete(call);
        // Each namespace by itself, as everywhere: it is too much to end with one request.
        if (call.resource.kind === (Namespace as Kind)) break;
        return this.#deleteCollection(call);
      default:
    }
    throw failure.methodNotAllowed();
  }

  async #get(call: Call): Promise<void> {
    const { response, resource, asked, query } = call;
    if (isTrue(query.get('watch'))) return this.#list(call, asked.name);
    checkNotAhead(query.get('resourceVersion') ?? '', this.#options.store.revision);
    const object = this.#options.reader.get(resource, asked.namespace, asked.name);
    sendObject(response, 200, this.#presenter(call, false).one(object));
  }

  async #list(call: Call, name?: string): Promise<void> {
    const { request, response, query, asked, resource } = call;
    const { kind } = resource;
    const ownFields = query.get('fieldSelector') ?? '';
    const fields = name === undefined ? ownFields : `metadata.name=${name}`;
    const selects = parseSelectors(
      query.get('labelSelector') ?? '',
      fields,
      selectableFields(kind, resource.view),
    );
    if (isTrue(query.get('watch'))) {
      const presenter = this.#presenter(call, false);
      checkWatchOptions(query);
      const scope = { kind, namespace: asked.namespace, selects };
      const timeout = query.get('timeoutSeconds');
      serveWatch(
        request,
        response,
        scope,
        presenter,
        {
          resourceVersion: query.get('resourceVersion') ?? '',
          timeoutSeconds: timeout === null ? undefined : wholeNumber('timeoutSeconds', timeout),
          allowsBookmarks: isTrue(query.get('allowWatchBookmarks')),
          sendsInitialEvents: isTrue(query.get('sendInitialEvents')),
        },
        this.#options,
      );
      return;
    }
    checkListOptions(query, this.#options.store.revision);
    const page = this.#options.reader.list(resource, {
      namespace: asked.namespace,
      selects,
      limit: wholeNumber('limit', query.get('limit') ?? '0'),
      continueToken: query.get('continue') ?? '',
    });
    const { resourceVersion, continueToken, remaining } = page;
    await sendList(response, this.#presenter(call, true), page.objects, {
      resourceVersion,
      ...(continueToken === '' ? {} : { continue: continueToken }),
      ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
    });
  }

  async #create(call: Call): Promise<void> {
    const body = stored(call, await readChecked(call.request));
    const object = this.#options.writer.create(this.#context(call, body), body.value);
    await this.#written(call, 201, object);
  }

  async #update(call: Call): Promise<void> {
    const body = stored(call, await readChecked(call.request));
    const { writer } = this.#options;
    const object = writer.update(this.#context(call, body), call.asked.name, body.value);
    await this.#written(call, 200, object);
  }

  async #patch(call: Call): Promise<void> {
    const { request, asked } = call;
    const type = mediaType(request);
    const bytes = await readBody(request);
    if (type === APPLY_PATCH) return this.#apply(call, stored(call, await parseYaml(bytes)));
    const patch = parseJson(bytes);
    const oddities = jsonOddities(bytes, type === JSON_PATCH ? 'json patch ' : '');
    const context = { ...this.#context(call, { oddities }), patch: bytes.toString('utf8') };
    const { kind, view } = call.resource;
    const object = this.#options.writer.change(context, asked.name, (target) =>
      view === undefined
        ? patched(type, target, patch, kind)
        : view.toStored(patched(type, view.fromStored(target), patch, view.kind)),
    );
    await this.#written(call, 200, object);
  }

  async #apply(call: Call, body: Parsed): Promise<void> {
    const { query, asked } = call;
    if (!query.has('fieldManager')) {
      throw failure.unprocessable(
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      );
    }
    const context = this.#context(call, body);
    const [oddity] = body.oddities;
    if (oddity !== undefined && context.fieldValidation === 'Strict') {
      throw failure.badRequest(
        `error strict decoding YAML: error converting YAML to JSON: ${oddity}`,
      );
    }
    const force = isTrue(query.get('force'));
    const { writer } = this.#options;
    const { object, created } = writer.apply(context, asked.name, body.value, force);
    return this.#written(call, created ? 201 : 200, object);
  }

  async #delete(call: Call): Promise<void> {
    const { response, resource, asked, query } = call;
    const options = readDeleteOptions(await readObject(call.request), query);
    const context = { ...this.#context(call), dryRun: options.dryRun };
    const { object, gone } = this.#options.writer.remove(context, asked.name, options);
    await this.#options.flush();
    const { name = '', uid = '' } = object.metadata;
    if (gone) sendStatus(response, deleted(resource.kind, name, uid));
    else sendObject(response, 200, this.#presenter(call, false).one(object));
  }

  async #deleteCollection(call: Call): Promise<void> {
    const { response, resource, asked, query } = call;
    const { reader, writer, flush } = this.#options;
    const options = readDeleteOptions(await readObject(call.request), query);
    const selects = parseSelectors(
      query.get('labelSelector') ?? '',
      query.get('fieldSelector') ?? '',
      selectableFields(resource.kind, resource.view),
    );
    const page = reader.list(resource, {
      namespace: asked.namespace,
      selects,
      limit: 0,
      continueToken: '',
    });
    for (const { metadata } of page.objects) {
      const context = {
        ...this.#context(call),
        namespace: metadata.namespace ?? '',
        dryRun: options.dryRun,
      };
      writer.remove(context, metadata.name ?? '', options);
    }
    await flush();
    const { resourceVersion } = page;
    await sendList(response, this.#presenter(call, true), page.objects, { resourceVersion });
  }

  async #scale(call: Call): Promise<void> {
    const { request, response, resource, asked } = call;
    const { reader, writer } = this.#options;
    const { kind } = resource;
    const context = this.#context(call);
    const current = (): KubeObject => reader.get(resource, asked.namespace, asked.name);
    if (request.method === 'GET') {
      sendJson(response, 200, scaleOf(current(), kind));
      return;
    }
    const isPatch = request.method === 'PATCH';
    if (!isPatch && request.method !== 'PUT') throw failure.methodNotAllowed();
    const type = mediaType(request);
    const body = isPatch ? parseJson(await readBody(request)) : await readObject(request);
    const object = writer.change({ ...context, subresource: '' }, asked.name, (target) => {
      const wanted = isPatch ? patched(type, scaleOf(target, kind), body, kind) : body;
      return withScale(target, readScale(wanted, asked.name), kind);
    });
    await this.#options.flush();
    sendJson(response, 200, scaleOf(object, kind));
  }

  async #evict(call: Call): Promise<void> {
    const { request, response, query, asked } = call;
    if (request.method !== 'POST') throw failure.methodNotAllowed();
    const options = readEviction(await readObject(request), asked.name, query);
    const context = { ...this.#context(call), dryRun: options.dryRun };
    this.#options.writer.remove(context, asked.name, options);
    await this.#options.flush();
    sendStatus(response, SUCCESS_CREATED);
  }

  async #written(call: Call, code: number, object: KubeObject): Promise<void> {
    await this.#options.flush();
    sendObject(call.response, code, this.#presenter(call, false).one(object));
  }

  #presenter({ request, query, resource }: Call, isList: boolean): Presenter {
    const offered = isList ? LIST_CONVERSIONS : OBJECT_CONVERSIONS;
    const chosen = negotiate(request.headers.accept, offered);
    if ('notAcceptable' in chosen) throw failure.notAcceptable(['application/json']);
    const include = query.get('includeObject') ?? 'Metadata';
    if (include !== 'None' && include !== 'Metadata' && include !== 'Object') {
      throw failure.badRequest(`includeObject is None, Metadata or Object, not ${include}`);
    }
    return createPresenter({
      kind: resource.kind,
      version: resource.version,
      form: formOf(chosen.conversion?.kind),
      includeObject: include,
      now: this.#options.now,
      ...(resource.view === undefined ? {} : { view: resource.view }),
    });
  }

  #context(
    { request, response, query, asked, resource }: Call,
    { oddities }: Pick<Parsed, 'oddities'> = { oddities: [] },
  ): WriteContext {
    return {
      resource,
      namespace: resource.kind.namespaced ? asked.namespace : '',
      subresource: asked.subresource === 'status' ? 'status' : '',
      manager: managerOf(query.get('fieldManager'), request.headers['user-agent']),
      dryRun: readDryRun(query.has('dryRun') ? query.getAll('dryRun') : undefined),
      fieldValidation: readFieldValidation(query.get('fieldValidation')),
      oddities,
      now: this.#options.now(),
      warn: (text) => warn(response, text),
    };
  }
}

const SUCCESS_CREATED: Status = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  code: 201,
};
const HEALTH_PATHS = new Set(['/healthz', '/livez', '/readyz']);
const SCALED = new Set(['Deployment', 'ReplicaSet', 'StatefulSet']);
/** Warnings of one answer. */
const WARNINGS_MAX = 32;
const MANAGER_CHARS_MAX = 128;

function formOf(kind: Conversion['kind'] | undefined): Form {
  switch (kind) {
    case 'Table':
      return 'Table';
    case 'PartialObjectMetadata':
    case 'PartialObjectMetadataList':
      return 'PartialObjectMetadata';
    default:
      return 'Object';
  }
}

/** Throws a Failure for a patch that cannot be read or does not fit. */
function patched(type: string, target: object, patch: unknown, kind: Kind): unknown {
  const outcome = applyPatch(type, target as JsonObject, patch, kind);
  if ('object' in outcome) return outcome.object;
  const { status, message } = outcome.error;
  switch (status) {
    case 415:
      throw failure.unsupportedMediaType(patchTypes(kind));
    case 422:
      throw failure.unprocessable(message);
    default:
      throw new Failure(status, 'BadRequest', message);
  }
}

function isScaled({ kind, group, scale }: Kind): boolean {
  return scale !== undefined || (group === 'apps' && SCALED.has(kind));
}

/** What a body holds, as it is stored. */
function stored({ resource: { view } }: Call, { value, oddities }: Parsed): Parsed {
  if (view === undefined) return { value, oddities };
  const unknown = view.unknownFields(value).map((name) => `unknown field ${JSON.stringify(name)}`);
  return { value: view.toStored(value), oddities: [...oddities, ...unknown] };
}

/** Says a thing once beside the answer, in the header of RFC 9111 that kubectl prints. */
function warn(response: ServerResponse, text: string): void {
  const line = `299 - ${JSON.stringify(text)}`;
  const before = response.getHeader('warning');
  const lines = Array.isArray(before) ? before : before === undefined ? [] : [String(before)];
  if (lines.length < WARNINGS_MAX && !lines.includes(line)) response.appendHeader('warning', line);
}

function hasPart(kind: Kind, subresource: string): boolean {
  return subresource === 'status'
    ? kind.hasStatus
    : subresource === 'finalize' && kind.kind === 'Namespace';
}

function checkScope({ namespaced }: Kind, { namespace, name }: ResourceRequest): void {
  if (namespaced ? namespace === '' && name !== '' : namespace !== '') throw failure.noSuchPath();
}

/** Whatever is not said to be false is true, as kube-apiserver reads it. */
function isTrue(text: string | null): boolean {
  return text !== null && text !== '0' && text.toLowerCase() !== 'false';
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw failure.badRequest(`${name} is not a whole number: ${JSON.stringify(text)}`);
}

function readFieldValidation(text: string | null): FieldValidation {
  if (text === null || text === '') return 'Warn';
  if (text === 'Ignore' || text === 'Warn' || text === 'Strict') return text;
  throw failure.unprocessable(
    `fieldValidation: Unsupported value: ${JSON.stringify(text)}: supported values: "Ignore", "Warn", "Strict"`,
  );
}

/** Who says nothing else is called by the name of the program. */
function managerOf(fieldManager: string | null, userAgent: string | undefined): string {
  // What nobody chose is cut to fit; what somebody did is refused.
  const own = (userAgent ?? '').split('/')[0]?.slice(0, MANAGER_CHARS_MAX) ?? '';
  const given = fieldManager ?? own;
  if (given.length > MANAGER_CHARS_MAX) {
    throw failure.unprocessable(
      `fieldManager: Invalid value: must be no more than ${MANAGER_CHARS_MAX} characters`,
    );
  }
  return given === '' ? 'unknown' : given;
}
