// The `fairway` command: which command it is, and nothing else. Each command is a file of its own,
// loaded only when it is asked for. (The tour begins here; next: ../pipeline/pipeline.ts.)

import { Command, CommanderError, Option } from 'commander';
import { fail, UNUSABLE } from './fail.ts';
import { ignoreClosedOutput } from './terminal.ts';
import { VERSION } from './version.ts';
import type { UpFlags } from './up.ts';

/** Reads what follows `--`: the command line that `up` is to run. */
function splitCommand(argv: readonly string[]): { own: string[]; command: string[] } {
  const dashes = argv.indexOf('--');
  return dashes === -1
    ? { own: [...argv], command: [] }
    : { own: argv.slice(0, dashes), command: argv.slice(dashes + 1) };
}

const collect = (value: string, all: readonly string[] = []): readonly string[] => [...all, value];

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
  .option('--no-pods', 'start no processes for pods')
  .option('--no-api', 'do not serve the Kubernetes API')
  .option('--api-port <port>', 'port of the Kubernetes API (default: 6443)')
  .option('--data <directory>', 'where to keep what is written through the API')
  .option('--fresh', 'begin without what was kept, and keep nothing')
  .option('--no-watch', 'do not follow changes of the files')
  .option('--ready-timeout <seconds>', 'how long to wait before running COMMAND', '60')
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
  .action(async (args: string[], options: object) => {
    const { explain } = await import('./explain.ts');
    process.exitCode = await explain(args, options);
  });

withSettings(program.command('compile'))
  .description('print what would run')
  .argument('<path...>', 'files and folders, or - for standard input')
  .addOption(
    new Option('--target <name>', 'what to print')
      .choices(['model', 'proxy'])
      .makeOptionMandatory(),
  )
  .action(async (paths: string[], options: object) => {
    const { compile } = await import('./compile.ts');
    process.exitCode = await compile(paths, options);
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
