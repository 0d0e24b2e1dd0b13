// How messages of the Kubernetes API are written down here, and what becomes of it. A message is a
// line of fields, `1 name string?, 2 ports []ContainerPort`: the number on the wire, the name in JSON,
// the type, and a mark for what JSON does with an absent value. Numbers and marks are those of the
// published API (generated.proto and the JSON tags beside it); the golden files prove each of them.
//
//   string bytes bool int32 int64   scalars; bytes become base64 text
//   Time MicroTime Quantity IntOrString FieldsV1 TextList   messages with a JSON form of their own
//   Name, meta.Name   another message, of the same package or of another
//   []type {}type     a list; a map from text
//   no mark   always there in JSON: empty text, 0, false, an empty object; null for a list or a map
//   ?         left out when empty
//   *         a pointer: null when it was not sent
//   *?        a pointer: left out when it was not sent, kept when it was sent empty
//   ...       as the name: the fields of the message stand among the fields around it

/** The messages of one API group, by name. */
export type Package = Readonly<Record<string, string>>;

const SCALARS = ['string', 'bytes', 'bool', 'int32', 'int64'] as const;
const FORMS = ['Time', 'MicroTime', 'Quantity', 'IntOrString', 'FieldsV1', 'TextList'] as const;

export type Leaf = (typeof SCALARS)[number] | (typeof FORMS)[number];

/** A message by its full name, `core.Pod`: looked up when it is needed. */
export interface MessageRef {
  readonly message: string;
}

export interface FieldDescriptor {
  readonly number: number;
  /** Name in JSON; undefined for a message whose fields stand among those around it. */
  readonly name: string | undefined;
  readonly type: Leaf | MessageRef;
  readonly shape: 'single' | 'list' | 'map';
  /** What JSON has when the value is absent. */
  readonly absent: 'zero' | 'left out when empty' | 'null' | 'left out';
}

export type MessageDescriptor = readonly FieldDescriptor[];

const FIELD = /^(\d+) (\.\.\.|[A-Za-z][A-Za-z0-9]*) (\[\]|\{\})?([A-Za-z0-9.]+)(\*\?|\*|\?)?$/;

/**
 * Reads the line of one message; `packageName` completes the names of its neighbours. A line that
 * cannot be read is a mistake in this program, and throws.
 */
export function parseMessage(line: string, packageName: string): MessageDescriptor {
  const fields = line.split(',').map((text) => text.trim().replace(/\s+/g, ' '));
  return fields.filter((text) => text !== '').map((text) => parseField(text, packageName));
}

function parseField(text: string, packageName: string): FieldDescriptor {
  const [, number, name, shape, type, mark] = FIELD.exec(text) ?? [];
  if (type === undefined) throw new Error(`'${text}' of ${packageName} is no field`);
  return {
    number: Number(number),
    name: name === '...' ? undefined : name,
    type: isLeaf(type) ? type : { message: type.includes('.') ? type : `${packageName}.${type}` },
    shape: shape === '[]' ? 'list' : shape === '{}' ? 'map' : 'single',
    absent: absentOf(mark),
  };
}

function absentOf(mark: string | undefined): FieldDescriptor['absent'] {
  if (mark === '?') return 'left out when empty';
  if (mark === '*') return 'null';
  return mark === '*?' ? 'left out' : 'zero';
}

function isLeaf(type: string): type is Leaf {
  return SCALARS.some((name) => name === type) || FORMS.some((name) => name === type);
}
