// The `fairway` command: which command it is, and nothing else. Each command is a file of its own,
// loaded only when it is asked for. (The tour begins here; next: ../pipeline/pipeline.ts.)

import { Command, CommanderError, Option } from 'commander';
import { fail, UNUSABLE } from './fail.ts';
import { ignoreClosedOutput } from './terminal.ts';
import { IPVS_SCHEDULERS } from '../targets/ipvs/program.ts';
import { VERSION } from './version.ts';
import type { MigrateFlags } from './migrate.ts';
import type { NodeFlags } from './node.ts';
import type { UpFlags } from './up.ts';

/** Reads what follows `--`: the command line that `up` is to run. */
function splitCommand(argv: readonly string[]): { own: string[]; command: string[] } {
  const dashes = argv.indexOf('--');
  return dashes === -1
    ? { own: [...argv], command: [] }
    : { own: argv.slice(0, dashes), command: argv.slice(dashes + 1) };
}

const collect = (value: string, all: readonly string[] = []): readonly string[] => [...all, value];

/** As commander names them. */
type RawNodeFlags = NodeFlags & { readonly nodeportAddresses?: readonly string[] };

const { own, command } = splitCommand(process.argv);

const program = new Command('fairway')
  .description('Kubernetes traffic routing in one program: Services, Ingress and Gateway API')
  .version(VERSION)
  .showHelpAfterError()
  // Commands take this over when they are made: a wrong command line is unusable input.
  .exitOverride()
  .enablePositionalOptions();

function withSettings(target: Command): Command {
  return target
    .addOption(new Option('--config <file>', 'configuration file').env('FAIRWAY_CONFIG'))
    .option('-n, --namespace <name>', 'namespace of objects that name none', 'default')
    .option(
      '--gateway-class <name>',
      'serve this GatewayClass whatever its controller (* for all); may be repeated',
      collect,
    );
}

withSettings(program.command('up'))
  .description('serve what files and folders say, and what kubectl applies, until interrupted')
  .argument('[path...]', 'files and folders, or - for standard input; none is an empty cluster')
  .addOption(
    new Option('--workers <number>', 'threads of the data path (default: one for each core)').env(
      'FAIRWAY_WORKERS',
    ),
  )
  .option(
    '--access-log <file>',
    'write a line for each request to this file, or to - for standard output',
  )
  .addOption(new Option('--access-log-format <format>', 'of its lines').choices(['json', 'common']))
  .option('--metrics-port <port>', 'serve metrics for Prometheus on this port of 127.0.0.1')
  .option('--no-pods', 'start no processes for pods')
  .option('--no-api', 'do not serve the Kubernetes API')
  .option('--api-port <port>', 'port of the Kubernetes API (default: 6443)')
  .option('--data <directory>', 'where to keep what is written through the API')
  .option('--fresh', 'begin without what was kept, and keep nothing')
  .option('--no-watch', 'do not follow changes of the files')
  .option('--ready-timeout <seconds>', 'how long to wait before running COMMAND', '60')
  .option(
    '--take-over [pid]',
    'take the place of the Fairway that runs here, once ready, without losing a request',
  )
  .addOption(new Option('-o, --output <format>', 'print the addresses as JSON').choices(['json']))
  .addHelpText(
    'after',
    '\n  fairway up PATH… -- COMMAND   serves while COMMAND runs, and exits with its status',
  )
  .action(async (paths: string[], options: UpFlags) => {
    const { up } = await import('./up.ts');
    process.exitCode = await up(paths, options, command);
  });

withSettings(program.command('check'))
  .description('say what is wrong and what would be served, without serving')
  .argument('<path...>', 'files and folders, or - for standard input')
  .addOption(
    new Option('-o, --output <format>', 'form of the answer')
      .choices(['table', 'json', 'yaml'])
      .default('table'),
  )
  .action(async (paths: string[], options: object) => {
    const { check } = await import('./check.ts');
    process.exitCode = await check(paths, options);
  });

withSettings(program.command('explain'))
  .description('say where a request would go, and why, without serving')
  .argument('<request...>', '[METHOD] URL PATH…')
  .option('-H, --header <field>', "header field, as 'Name: value'; may be repeated", collect)
  .option('--gateway <name>', 'the Gateway asked, as namespace/name')
  .addOption(new Option('-o, --output <format>', 'form of the answer').choices(['text', 'json']))
  .option('--from <address>', 'of a packet, as tcp://10.96.0.1:80: who sends it')
  .option('--node <name>', 'of a packet: the node that has it', 'fairway')
  .option('--service-cidr <network>', 'of a packet: as of fairway node; may be repeated', collect)
  .option('--pod-cidr <network>', 'of a packet: as of fairway node; may be repeated', collect)
  .action(
    async (args: string[], options: { readonly from?: string; readonly namespace?: string }) => {
      if (options.from !== undefined) {
        const { explainPacket } = await import('./explain-packet.ts');
        process.exitCode = await explainPacket(args, { ...options, from: options.from });
        return;
      }
      const { explain } = await import('./explain.ts');
      process.exitCode = await explain(args, options);
    },
  );

withSettings(program.command('compile'))
  .description('print what would run')
  .argument('<path...>', 'files and folders, or - for standard input')
  .addOption(
    new Option('--target <name>', 'what to print')
      .choices(['model', 'proxy', 'nftables', 'iptables', 'ipvs'])
      .makeOptionMandatory(),
  )
  .option('--node <name>', 'the node that a kernel target is for', 'fairway')
  .option(
    '--service-cidr <network>',
    'of a kernel target: as of fairway node; may be repeated',
    collect,
  )
  .option(
    '--pod-cidr <network>',
    'of a kernel target: as of fairway node; may be repeated',
    collect,
  )
  .addOption(
    new Option('--ipvs-scheduler <name>', 'how virtual servers choose').choices(IPVS_SCHEDULERS),
  )
  .option('--diff <path>', 'print what changes against the objects of this file or folder')
  .action(async (paths: string[], options: object) => {
    const { compile } = await import('./compile.ts');
    process.exitCode = await compile(paths, options);
  });

withSettings(program.command('node'))
  .description("carry the packets of Services on this machine, by the kernel's own means")
  .argument('[path...]', 'files and folders, or - for standard input')
  .addOption(
    new Option('--mode <name>', 'what carries them')
      .choices(['nftables', 'iptables', 'ipvs', 'userspace'])
      .default('nftables'),
  )
  .option('--cleanup', 'remove the rules of every mode, and end')
  .option('--kubeconfig <file>', 'read the objects of a cluster, in place of files')
  .option('--context <name>', 'the context of the kubeconfig (default: its current one)')
  .option('--in-cluster', "read the cluster this process runs in, by its pod's service account")
  .option('--no-watch', 'do not follow changes of the files')
  .option(
    '--node-name <name>',
    'name of this node in nodeName of endpoints (default: its host name)',
  )
  .option('--zone <name>', 'zone of this node (default: as its Node object says)')
  .option('--node-address <address>', 'address of this node; may be repeated', collect)
  .option('--nodeport-addresses <network>', 'where node ports are served; may be repeated', collect)
  .option('--pod-cidr <network>', 'where pods live; may be repeated', collect)
  .option('--service-cidr <network>', 'where cluster IPs are from; may be repeated', collect)
  .option('--masquerade-all', 'pods, too, reach cluster IPs under the address of the node')
  .addOption(
    new Option('--ipvs-scheduler <name>', 'how virtual servers choose').choices(IPVS_SCHEDULERS),
  )
  .option('--ipvs-strict-arp', 'answer ARP for an address only where the device has it')
  .option('--min-sync-period <seconds>', 'changes closer together are one', '1')
  .option('--sync-period <seconds>', 'how often it is looked whether the rules are there', '30')
  .option(
    '--health-port <port>',
    'of /healthz, /livez and /metrics on 127.0.0.1; 0 for none',
    '10256',
  )
  .action(async (paths: string[], { nodeportAddresses, ...options }: RawNodeFlags) => {
    const { node } = await import('./node.ts');
    const nodePortAddress =
      nodeportAddresses === undefined ? {} : { nodePortAddress: nodeportAddresses };
    process.exitCode = await node(paths, { ...options, ...nodePortAddress });
  });

withSettings(program.command('migrate'))
  .description('write Ingresses as Gateway API, and prove that both answer alike')
  .argument('<path...>', 'files and folders, or - for standard input')
  .option('--out <directory>', 'where to write (default: standard output)')
  .option('--force', 'write into a folder that is not empty')
  .option('--gateway <name>', 'reuse or make this Gateway, as namespace/name', 'default/web')
  .option('--class <name>', 'GatewayClass of a Gateway that is made', 'fairway')
  .option('--standard-only', 'use the standard channel of the Gateway API alone')
  .option('--prove', 'ask both configurations the same requests, and compare')
  .option('--against <path>', 'prove this configuration, and not the one that is written')
  .option('--requests <file>', 'HAR file or access log to ask as well; may be repeated', collect)
  .addOption(
    new Option('--report <format>', 'form of the report')
      .choices(['text', 'json', 'html'])
      .default('text'),
  )
  .addHelpText(
    'after',
    `
Exit codes: 0 written, and with --prove proven; 1 answers differ; 2 nothing that can be used.

  fairway migrate k8s --out gateway-api
  fairway migrate k8s --prove --requests access.log
  fairway migrate k8s --against gateway-api --report html > proof.html`,
  )
  .action(async (paths: string[], options: MigrateFlags) => {
    const { migrate } = await import('./migrate.ts');
    process.exitCode = await migrate(paths, options);
  });

program
  .command('logs')
  .description('print what a pod has written')
  .argument('<pod>', 'name of the pod, or namespace/name')
  .option('-c, --container <name>', 'container; the first one by default')
  .option('-f, --follow', 'go on printing')
  .option('-p, --previous', 'of the container before its last restart')
  .option('--tail <lines>', 'only the last lines')
  .option('--since <duration>', 'only what is newer, as 10s or 5m')
  .option('--timestamps', 'with the time of each line')
  .option('-n, --namespace <name>', 'namespace of the pod')
  .action(async (pod: string, options: object) => {
    const { logs } = await import('./logs.ts');
    process.exitCode = await logs(pod, options);
  });

ignoreClosedOutput();
try {
  await program.parseAsync(own);
} catch (error) {
  // It has printed what is wrong, or the help that was asked for.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : UNUSABLE;
  else process.exitCode = fail(error);
}
