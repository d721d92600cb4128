// Prints the conformance cases of the CEL specification, one JSON object a line, for cel_conformance.rs.
import { createRequire } from "node:module";

const { tests } = createRequire(import.meta.url)("@bufbuild/cel-spec/testdata/conformance.js");

// Numbers go out as texts, which lose no digits on their way through another JSON reader.
const exact = (_key, value) => (typeof value === "number" ? String(value) : value);

function print(suite, path) {
  for (const { original, type } of suite.tests ?? []) {
    console.log(JSON.stringify({ section: path.join("/"), type, ...original }, exact));
  }
  for (const inner of suite.suites ?? []) {
    print(inner, [...path, inner.name]);
  }
}

print(tests, []);
