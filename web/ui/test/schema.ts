import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { parse } from 'yaml';

// JSON Schema, as far as the documents use it.
export interface Schema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: boolean | Schema;
  propertyNames?: Schema;
  oneOf?: Schema[];
}

export class Document {
  readonly root: Record<string, unknown>;

  constructor(path: string) {
    this.root = parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as Record<string, unknown>;
  }

  // at follows a JSON pointer like #/components/schemas/Order, and every $ref on the way.
  at(pointer: string): Schema {
    let here: unknown = this.root;
    for (const name of pointer.slice(2).split('/')) {
      here = (this.resolve(here as Schema) as Record<string, unknown>)[name.replaceAll('~1', '/')];
      if (here === undefined) throw new Error(`the document has no ${pointer}`);
    }
    return this.resolve(here as Schema);
  }

  resolve(schema: Schema): Schema {
    return schema.$ref ? this.at(schema.$ref) : schema;
  }
}

// Types are those that the pages' sources declare.
export class Types {
  private readonly program: ts.Program;
  readonly checker: ts.TypeChecker;

  constructor(...paths: string[]) {
    const files = paths.map((path) => new URL(path, import.meta.url).pathname);
    this.program = ts.createProgram(files, { strict: true, noEmit: true, moduleResolution: ts.ModuleResolutionKind.Bundler, module: ts.ModuleKind.ESNext });
    this.checker = this.program.getTypeChecker();
  }

  named(name: string): ts.Type {
    for (const file of this.program.getSourceFiles()) {
      const module = file.isDeclarationFile ? undefined : this.checker.getSymbolAtLocation(file);
      const symbol = module && this.checker.getExportsOfModule(module).find((one) => one.name === name);
      if (symbol) return this.checker.getDeclaredTypeOfSymbol(symbol);
    }
    throw new Error(`no type ${name}`);
  }

  // member is the one of a union whose `type` it is.
  member(union: string, type: string): ts.Type | undefined {
    const whole = this.named(union);
    return (whole.isUnion() ? whole.types : [whole]).find((one) => this.field(one, 'type')?.type === this.checker.getStringLiteralType(type));
  }

  field(type: ts.Type, name: string): { type: ts.Type; optional: boolean } | undefined {
    const symbol = type.getProperty(name);
    if (!symbol) return undefined;
    const optional = Boolean(symbol.flags & ts.SymbolFlags.Optional);
    const of = this.checker.getTypeOfSymbol(symbol);
    return { type: optional ? this.checker.getNonNullableType(of) : of, optional };
  }
}

// differences are where a type and a schema do not say the same, as lines for
// people. What the server sends must fit the type; what is sent must fit the
// schema.
export function differences(document: Document, types: Types, schema: Schema, type: ts.Type, way: 'received' | 'sent', at: string): string[] {
  const s = document.resolve(schema);
  const { checker } = types;
  const walk = (inner: Schema, of: ts.Type, name: string) => differences(document, types, inner, of, way, `${at}.${name}`);
  const values = s.const !== undefined ? [s.const] : s.enum;
  if (values) {
    const known = literals(type);
    if (!known) return way === 'received' && type.flags & ts.TypeFlags.String ? [] : [`${at}: not the values ${values.join(', ')}`];
    const missing = values.filter((value) => !known.includes(value));
    const unknown = known.filter((value) => !values.includes(value));
    return (way === 'received' ? missing : unknown).map((value) => `${at}: ${String(value)} is only in ${way === 'received' ? 'the document' : 'the type'}`);
  }
  switch (s.type) {
    case 'string':
      return type.flags & ts.TypeFlags.StringLike ? [] : [`${at}: a string, not ${checker.typeToString(type)}`];
    case 'number':
    case 'integer':
      return type.flags & ts.TypeFlags.NumberLike ? [] : [`${at}: a number, not ${checker.typeToString(type)}`];
    case 'boolean':
      return type.flags & ts.TypeFlags.BooleanLike ? [] : [`${at}: a boolean, not ${checker.typeToString(type)}`];
    case 'array': {
      const item = checker.getIndexTypeOfType(type, ts.IndexKind.Number);
      return item && s.items ? walk(s.items, item, '[]') : item ? [] : [`${at}: an array, not ${checker.typeToString(type)}`];
    }
  }
  if (s.propertyNames && typeof s.additionalProperties === 'object') {
    const names = document.resolve(s.propertyNames).enum ?? [];
    return names.filter((name) => !types.field(type, String(name))).map((name) => `${at}: no ${String(name)}`);
  }
  const lines: string[] = [];
  const described = s.properties ?? {};
  for (const [name, inner] of Object.entries(described)) {
    const field = types.field(type, name);
    const must = s.required?.includes(name) ?? false;
    if (!field) {
      if (way === 'received' || must) lines.push(`${at}.${name}: not in the type`);
      continue;
    }
    if (way === 'received' ? !must && !field.optional : must && field.optional) lines.push(`${at}.${name}: is optional in ${must ? 'the type' : 'the document'} only`);
    lines.push(...walk(inner, field.type, name));
  }
  for (const { name } of type.getProperties()) if (!(name in described)) lines.push(`${at}.${name}: not in the document`);
  return lines;
}

function literals(type: ts.Type): unknown[] | undefined {
  if (type.isLiteral()) return [type.value];
  if (type.isUnion() && type.types.every((one) => one.isLiteral())) return type.types.map((one) => (one as ts.LiteralType).value);
  return undefined;
}
