// Loaded first by every Node.js process of a pod (NODE_OPTIONS --require). A pod here has an address of
// its own but no network of its own, and this file makes up for the difference inside the process:
//
//   listen on 0.0.0.0, :: or nothing   binds the pod's address, so that replicas do not collide
//   connect to a 127.x.y.z address     comes from the pod's address, as its backends would see it;
//                                      not to 127.0.0.1: databases there let in 127.0.0.1 alone
//   connect to localhost:<own port>    reaches the pod's own containers
//   look up a cluster name             asks the cluster's DNS, where there is one
//   os.hostname()                      is the pod's name
//
// With the host's network the pod's address is 127.0.0.1: nothing of a pod is ever open to the network.
//
// CommonJS in the JavaScript of Node.js 14, because it runs in the user's Node.js and not in ours. It
// must never be the reason that a program fails: what cannot be done is left as it was.
'use strict';

const podIp = process.env.FAIRWAY_POD_IP;
if (podIp !== undefined && podIp !== '') install(podIp);

function install(podIp) {
  const net = require('net');
  const ownPorts = new Set((process.env.FAIRWAY_POD_PORTS || '').split(',').filter(Boolean));
  for (const step of [
    () => patchListen(net, podIp, ownPorts),
    () => patchConnect(net, podIp, ownPorts),
    () => patchDgram(podIp),
    () => patchHostname(),
    () => patchLookup(net),
    // Without this, ES modules that import single names would get those from before.
    () => require('module').syncBuiltinESMExports(),
  ]) {
    try {
      step();
    } catch {
      // Left as it was.
    }
  }
}

function isUnspecified(host) {
  return (
    host === undefined ||
    host === null ||
    host === '' ||
    host === '0.0.0.0' ||
    /^[0:]*:[0:]*$/.test(host)
  );
}

function isPort(value) {
  return typeof value === 'number' || (typeof value === 'string' && Number(value) >= 0);
}

/** Server.listen takes (port, host, backlog, callback), all but the first optional, or an object. */
function patchListen(net, podIp, ownPorts) {
  const listen = net.Server.prototype.listen;
  net.Server.prototype.listen = function fairwayListen(...args) {
    const first = args[0];
    if (isPort(first) || first === undefined || first === null || typeof first === 'function') {
      const port = isPort(first) ? first : 0;
      const rest = isPort(first) || first === undefined || first === null ? args.slice(1) : args;
      if (typeof rest[0] === 'string' || rest[0] === undefined || rest[0] === null) {
        if (isUnspecified(rest[0])) rest[0] = podIp;
      } else {
        rest.unshift(podIp);
      }
      args = [port, ...rest];
    } else if (isListenOptions(first) && isUnspecified(first.host)) {
      args[0] = { ...first, host: podIp, ipv6Only: false };
    }
    this.once('listening', () => {
      const address = this.address();
      if (address !== null && address.address === podIp) ownPorts.add(String(address.port));
    });
    return listen.apply(this, args);
  };
}

/** Not for handles, file descriptors and paths, which have no host. */
function isListenOptions(value) {
  return (
    typeof value === 'object' &&
    value._handle === undefined &&
    value.path === undefined &&
    value.fd === undefined &&
    value.port !== undefined &&
    value.port !== null
  );
}

function isLoopbackName(host) {
  return host === undefined || host === 'localhost' || host === '127.0.0.1' || host === '::1';
}

/** Socket.connect takes what net.connect takes; net.connect normalizes it into an array first. */
function patchConnect(net, podIp, ownPorts) {
  const connect = net.Socket.prototype.connect;
  let sourcePatched = false;
  net.Socket.prototype.connect = function fairwayConnect(...args) {
    const normalized = Array.isArray(args[0]) ? args[0] : args;
    const first = normalized[0];
    if (typeof first === 'object' && first !== null) {
      if (isOwn(first.port, first.host) && first.path === undefined && podIp !== '127.0.0.1') {
        normalized[0] = { ...first, host: podIp };
      }
    } else if (isPort(first)) {
      const host = typeof normalized[1] === 'string' ? normalized[1] : undefined;
      if (isOwn(first, host) && podIp !== '127.0.0.1') {
        if (host === undefined) normalized.splice(1, 0, podIp);
        else normalized[1] = podIp;
      }
    }
    const result = connect.apply(this, args);
    if (!sourcePatched) sourcePatched = patchSource(this._handle, podIp);
    return result;
  };

  function isOwn(port, host) {
    return ownPorts.has(String(port)) && isLoopbackName(host);
  }
}

/**
 * Binds the pod's address just before a connection to a loopback address is made: only there is the
 * destination known for names too, and only there can it come from the pod's address.
 */
function patchSource(socketHandle, podIp) {
  // TLS wraps the handle of the connection it runs over.
  const handle = (socketHandle && socketHandle._parent) || socketHandle;
  if (handle === null || handle === undefined || handle.constructor.name !== 'TCP') return false;
  const prototype = Object.getPrototypeOf(handle);
  const connect = prototype.connect;
  prototype.connect = function fairwayConnectFrom(request, address, ...rest) {
    // A second bind, after the program's own localAddress, fails and changes nothing.
    if (address.startsWith('127.') && address !== '127.0.0.1') this.bind(podIp, 0);
    return connect.call(this, request, address, ...rest);
  };
  return true;
}

/**
 * Only an explicit port is bound to the pod's address: sockets that merely send are bound to port 0,
 * and from the pod's address nothing outside this machine could be reached.
 */
function patchDgram(podIp) {
  const { Socket } = require('dgram');
  const bind = Socket.prototype.bind;
  Socket.prototype.bind = function fairwayBind(...args) {
    const first = args[0];
    const address = this.type === 'udp6' ? `::ffff:${podIp}` : podIp;
    if (typeof first === 'object' && first !== null && first.fd === undefined) {
      if (Number(first.port) > 0 && isUnspecified(first.address)) args[0] = { ...first, address };
    } else if (isPort(first) && Number(first) > 0) {
      if (typeof args[1] === 'string' || args[1] === undefined || args[1] === null) {
        if (isUnspecified(args[1])) args[1] = address;
      } else {
        args.splice(1, 0, address);
      }
    }
    return bind.apply(this, args);
  };
}

function patchHostname() {
  const name = process.env.HOSTNAME;
  if (name !== undefined && name !== '') require('os').hostname = () => name;
}

/** Asks the cluster's DNS with the pod's search domains; what it does not know, the system is asked. */
function patchLookup(net) {
  const server = process.env.FAIRWAY_DNS;
  if (server === undefined || server === '') return;
  const search = (process.env.FAIRWAY_DNS_SEARCH || '').split(',').filter(Boolean);
  const dns = require('dns');
  const resolver = new dns.Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([server]);
  const systemLookup = dns.lookup;
  const systemLookupPromise = dns.promises.lookup;
  let silentUntil = 0;

  function clusterLookup(name, done) {
    if (Date.now() < silentUntil) return done(undefined);
    const candidates = name.endsWith('.')
      ? [name.slice(0, -1)]
      : search.map((domain) => `${name}.${domain}`);
    if (!name.endsWith('.') && search.some((domain) => name.endsWith(`.${domain}`)))
      candidates.unshift(name);
    const next = (i) => {
      if (i === candidates.length) return done(undefined);
      resolver.resolve4(candidates[i], (error, addresses) => {
        if (error === null && addresses.length > 0) return done(addresses);
        if (error === null || (error.code !== 'ETIMEOUT' && error.code !== 'ECONNREFUSED')) {
          return next(i + 1);
        }
        // A server that does not answer will not answer the next question either.
        silentUntil = Date.now() + 5000;
        return done(undefined);
      });
    };
    next(0);
  }

  function isClusterQuestion(name, options) {
    const family = typeof options === 'object' && options !== null ? options.family : options;
    return (
      typeof name === 'string' &&
      name !== '' &&
      name !== 'localhost' &&
      net.isIP(name) === 0 &&
      family !== 6 &&
      family !== 'IPv6'
    );
  }

  dns.lookup = function lookup(name, options, callback) {
    const done = typeof options === 'function' ? options : callback;
    const wanted = typeof options === 'function' ? {} : options;
    if (typeof done !== 'function' || !isClusterQuestion(name, wanted)) {
      return systemLookup.apply(this, arguments);
    }
    clusterLookup(name, (addresses) => {
      if (addresses === undefined) systemLookup(name, wanted, done);
      else if (wanted && wanted.all)
        done(
          null,
          addresses.map((address) => ({ address, family: 4 })),
        );
      else done(null, addresses[0], 4);
    });
    return {};
  };
  dns.lookup[require('util').promisify.custom] = (name, options) =>
    dns.promises.lookup(name, options);

  dns.promises.lookup = function lookup(name, options) {
    if (!isClusterQuestion(name, options)) return systemLookupPromise.call(this, name, options);
    return new Promise((resolve, reject) => {
      clusterLookup(name, (addresses) => {
        if (addresses === undefined) systemLookupPromise(name, options).then(resolve, reject);
        else if (options && options.all)
          resolve(addresses.map((address) => ({ address, family: 4 })));
        else resolve({ address: addresses[0], family: 4 });
      });
    });
  };
}
