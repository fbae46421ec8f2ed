"""Random JSON schemas and random documents that match them, for tests of constrained output.

Schemas use what docs/grammars.md says is enforced. Documents are written as it says they are: properties in the schema's
order, then others; numbers without exponent; one spelling of each character.
"""
import json
import string

WORDS = ["alpha", "beta", "gamma", "delta", "name", "size", "kind", "id", "ünï", "a b", "x/y", 'q"t', "colour", "n"]
PATTERNS = {
    "^[A-Z]{2}[0-9]{3}$": lambda r: "".join(r.choices(string.ascii_uppercase, k=2)) + "".join(r.choices("0123456789", k=3)),
    "^(foo|bar)-\\d+$": lambda r: r.choice(["foo", "bar"]) + "-" + str(r.randrange(10**6)),
    "[a-z]+@x": lambda r: r.choice(["", "--"]) + r.choice(["ab", "q"]) + "@x" + r.choice(["", "ü\n\""]),
    "^\\w{1,8}$": lambda r: "".join(r.choices(string.ascii_letters + "_7", k=r.randint(1, 8))),
    "^a|b$": lambda r: r.choice(["a", "a\\x", "zzb", "b"]),
    "^[^ \"]*$": lambda r: r.choice(["", "ab", "中ü!"]),
}
FORMATS = {
    "date": lambda r: f"{r.randint(1, 9999):04}-{r.randint(1, 12):02}-{r.randint(1, 28):02}",
    "date-time": lambda r: f"{FORMATS['date'](r)}T{r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02}"
                           + r.choice(["Z", "+05:30", ".25-11:00"]),
    "time": lambda r: f"{r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02}Z",
    "uuid": lambda r: "-".join("".join(r.choices("0123456789abcdef", k=k)) for k in (8, 4, 4, 4, 12)),
    "ipv4": lambda r: ".".join(str(r.randrange(256)) for _ in range(4)),
    "ipv6": lambda r: r.choice(["::", "::1", "fe80::1:2", "1:2:3:4:5:6:7:8", "a::"]),
    "email": lambda r: r.choice(["a.b@example.org", "x+y@h-1.de"]),
}
CHARACTERS = string.ascii_letters + string.digits + " _-.,:{}[]/\\\"\n\t\x01äß中😀"


class Generator:
    """A schema is made with a function that makes documents of it: schema() returns both."""

    def __init__(self, random, max_length=24, for_model=False):
        self.r = random
        self.max_length = max_length
        self.for_model = for_model  # nothing that could go on and on
        self.defs = {}

    def document_schema(self):
        """(schema of an object or array, function that makes a document)."""
        schema, make = self.object(2) if self.r.random() < 0.8 else self.array(2)
        if self.defs:
            schema = {**schema, "$defs": self.defs}
        return schema, make

    def schema(self, depth):
        kinds = [self.string, self.string, self.integer, self.number, self.enum, self.const, self.boolean, self.null]
        if depth > 0:
            kinds += [self.object, self.object, self.array, self.array, self.any_of, self.one_of, self.all_of, self.types]
            kinds += [] if self.for_model else [self.linked_list, self.anything, self.map]
        kind = self.r.choice(kinds)
        return kind(depth - 1) if kind.__name__ in RECURSIVE else kind()

    def null(self):
        return {"type": "null"}, lambda: None

    def boolean(self):
        return {"type": "boolean"}, lambda: self.r.random() < 0.5

    def anything(self):
        return self.r.choice([{}, True]), lambda: self.r.choice([None, 1, "x", [1, {"a": []}], {"b": {"c": 2.5}}])

    def text(self, low, high):
        return "".join(self.r.choices(CHARACTERS, k=self.r.randint(low, high)))

    def string(self):
        r = self.r
        which = r.random()
        if which < 0.25:
            pattern = r.choice(list(PATTERNS))
            if self.for_model:
                pattern = "^[A-Z]{2}[0-9]{3}$"
            return {"type": "string", "pattern": pattern}, lambda: PATTERNS[pattern](r)
        if which < 0.4:
            name = r.choice(list(FORMATS))
            return {"type": "string", "format": name}, lambda: FORMATS[name](r)
        if which < 0.8 or self.for_model:
            low = r.randint(0, 3)
            high = r.randint(max(low, 1), self.max_length)
            schema = {"type": "string", "maxLength": high}
            if low > 0:
                schema["minLength"] = low
            return schema, lambda: self.text(low, high)
        return {"type": "string"}, lambda: self.text(0, 30)

    def integer(self):
        r = self.r
        low, high = sorted(r.randint(-10 ** r.randint(0, 6), 10 ** r.randint(0, 6)) for _ in range(2))
        schema, step = {"type": "integer"}, 1
        if r.random() < 0.7:
            schema["minimum" if r.random() < 0.7 else "exclusiveMinimum"] = low
            low += "exclusiveMinimum" in schema
        if r.random() < 0.7:
            schema["maximum" if r.random() < 0.7 else "exclusiveMaximum"] = high + 1
            high += "maximum" in schema
        if r.random() < 0.2:
            step = r.randint(1, 20)
            if (high // step) * step >= low:
                schema["multipleOf"] = step
            else:
                step = 1
        if low > high:
            return {"type": "integer"}, lambda: r.randint(-99, 99)
        return schema, lambda: r.randint(-(-low // step), high // step) * step

    def number(self):
        r = self.r
        low, high = sorted(round(r.uniform(-200, 200), r.randint(0, 3)) for _ in range(2))
        high += 1
        schema = {"type": "number"}
        if r.random() < 0.7:
            schema["minimum" if r.random() < 0.6 else "exclusiveMinimum"] = low
        if r.random() < 0.7:
            schema["maximum" if r.random() < 0.6 else "exclusiveMaximum"] = high
        if r.random() < 0.2:
            schema["multipleOf"] = r.choice([0.5, 0.25, 2])
            return schema, lambda: self.multiple(schema["multipleOf"], low, high)
        return schema, lambda: r.choice([round(r.uniform(low + 0.01, high - 0.01), 4), int(low) + 1])

    def multiple(self, step, low, high):
        value = (int(low / step) + 1) * step
        while value <= low:
            value += step
        return value  # a step of 2 may overshoot: who uses documents checks them

    def enum(self):
        values = self.r.sample([1, -2.5, "x", "two words", "ü\"", None, True, [1, "a"], {"k": 0}, "", 1000], self.r.randint(1, 4))
        return {"enum": values}, lambda: self.r.choice(values)

    def const(self):
        value = self.r.choice([7, "fixed", None, False, [], {"a": [1]}])
        return {"const": value}, lambda: value

    def types(self):
        names = self.r.sample(["null", "boolean", "integer"], 2)
        examples = {"null": None, "boolean": True, "integer": 12}
        return {"type": names}, lambda: examples[self.r.choice(names)]

    def object(self, depth):
        r = self.r
        names = r.sample(WORDS, r.randint(1, 5))
        parts = {name: self.schema(depth) for name in names}
        required = [name for name in names if r.random() < 0.6]
        schema = {"type": "object", "properties": {name: part[0] for name, part in parts.items()}}
        if required or r.random() < 0.5:
            schema["required"] = required
        extra = None
        if r.random() < 0.5:
            schema["additionalProperties"] = False
        elif r.random() < 0.3 and not self.for_model:
            schema["additionalProperties"], extra = self.schema(0)

        def make():
            document = {name: make_part() for name, (_, make_part) in parts.items() if name in required or r.random() < 0.5}
            if extra and r.random() < 0.5:
                document["other" + str(r.randrange(9))] = extra()
            return document
        if r.random() < 0.15 and not self.for_model:
            schema["minProperties"] = len(required)
            schema["maxProperties"] = len(names) + 1
        return schema, make

    def map(self, depth):
        value, make = self.schema(depth)
        schema = {"type": "object", "patternProperties": {"^k[0-9]+$": value}, "additionalProperties": False}
        return schema, lambda: {f"k{self.r.randrange(10 ** 4)}": make() for _ in range(self.r.randrange(3))}

    def array(self, depth):
        r = self.r
        item, make = self.schema(depth)
        low = r.randint(0, 2)
        high = low + r.randint(0, 2) + 1
        schema, prefix = {"type": "array", "items": item}, []
        if low > 0:
            schema["minItems"] = low
        if r.random() < 0.6 or self.for_model:
            schema["maxItems"] = high
        if r.random() < 0.2:
            prefix = [self.schema(0) for _ in range(r.randint(1, 2))]
            schema["prefixItems"] = [part[0] for part in prefix]

        def make_all():
            n = r.randint(low, high)
            return [prefix[i][1]() if i < len(prefix) else make() for i in range(n)]
        return schema, make_all

    def any_of(self, depth):
        branches = [self.schema(depth) for _ in range(self.r.randint(2, 3))]
        return {"anyOf": [branch[0] for branch in branches]}, lambda: self.r.choice(branches)[1]()

    def one_of(self, depth):
        value, make = self.schema(depth)
        schema = {"oneOf": [{"type": "object", "properties": {"kind": {"const": kind}, "v": value}, "required": ["kind", "v"]}
                            for kind in ("a", "b")]}
        return schema, lambda: {"kind": self.r.choice("ab"), "v": make()}

    def all_of(self, depth):
        first, make_first = self.schema(depth)
        second, make_second = self.schema(0)
        schema = {"type": "object", "allOf": [{"properties": {"p": first}, "required": ["p"]}, {"properties": {"s": second}}]}
        return schema, lambda: {"p": make_first(), **({"s": make_second()} if self.r.random() < 0.5 else {})}

    def linked_list(self, depth):
        name = f"list{len(self.defs)}"
        self.defs[name] = None
        value, make = self.schema(0)
        self.defs[name] = {"type": "object", "properties": {"v": value, "next": {"anyOf": [{"$ref": f"#/$defs/{name}"},
                                                                                          {"type": "null"}]}},
                           "required": ["v", "next"]}

        def make_list():
            document = None
            for _ in range(self.r.randint(1, 3)):
                document = {"v": make(), "next": document}
            return document
        return {"$ref": f"#/$defs/{name}"}, make_list


RECURSIVE = {"object", "array", "any_of", "one_of", "all_of", "linked_list", "map"}


def write(random, document):
    """The document in one of the styles that serializers have."""
    style = random.choice([{}, {"separators": (",", ":")}, {"indent": 2}, {"indent": 4}, {"indent": "\t"}])
    return json.dumps(document, ensure_ascii=False, **style)


def damage(random, document):
    """A copy with one value somewhere replaced, removed or added."""
    root = [json.loads(json.dumps(document))]
    holder, key = root, 0
    while isinstance(holder[key], (dict, list)) and holder[key] and random.random() < 0.75:
        holder = holder[key]
        key = random.choice(list(holder)) if isinstance(holder, dict) else random.randrange(len(holder))
    choice = random.random()
    if choice < 0.25 and isinstance(holder, dict):
        del holder[key]
    elif choice < 0.4 and isinstance(holder[key], dict):
        holder[key]["surprise"] = 1
    elif choice < 0.5 and isinstance(holder[key], list):
        holder[key].extend([None] * 4)
    elif choice < 0.7 and isinstance(holder[key], str):
        holder[key] = holder[key] + "~" * random.choice([1, 40])
    elif choice < 0.8 and isinstance(holder[key], (int, float)):
        holder[key] = -holder[key] * 1000 - 1
    else:
        holder[key] = random.choice([None, True, 3, -0.125, "other", [], {}, {"a": 1}])
    return root[0]
