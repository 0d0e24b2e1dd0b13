// What is set for the ports of one Gateway: how much clients may ask of them, and who clients are.

export interface PortSettings {
  /** Those that are not the default. */
  readonly limits: ClientLimits;
  /** The oldest version of TLS that is taken where TLS ends here; absent: the default. */
  readonly tlsMinVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** Absent: the client is who connects. */
  readonly clientAddress?: ClientAddress;
}

/** Limits of connections with clients, by the names they have in the data path. */
export interface ClientLimits {
  readonly targetBytesMax?: number;
  readonly headBytesMax?: number;
  readonly headFieldsMax?: number;
  readonly streamsMax?: number;
  readonly headTimeoutMs?: number;
  readonly bodyIdleTimeoutMs?: number;
  readonly keepAliveTimeoutMs?: number;
  readonly handshakeTimeoutMs?: number;
}

/** Proxies in front of us say who the client is. */
export interface ClientAddress {
  /**
   * xForwardedFor: the header, whose last address that is not of a trusted proxy is the client's.
   * proxyProtocol: connections begin with a PROXY header; those of others than trusted proxies do not.
   */
  readonly from: 'xForwardedFor' | 'proxyProtocol';
  /** Networks and addresses. Never empty. */
  readonly trusted: readonly string[];
}
