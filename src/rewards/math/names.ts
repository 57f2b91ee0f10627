/** Functions that are computed: name in LaTeX and in plain text → own name. */
export const FUNCTIONS: Readonly<Record<string, string>> = {
  sin: "sin",
  cos: "cos",
  tan: "tan",
  tg: "tan",
  cot: "cot",
  ctg: "cot",
  sec: "sec",
  csc: "csc",
  cosec: "csc",
  arcsin: "asin",
  arccos: "acos",
  arctan: "atan",
  arctg: "atan",
  asin: "asin",
  acos: "acos",
  atan: "atan",
  arccot: "acot",
  sinh: "sinh",
  cosh: "cosh",
  tanh: "tanh",
  ln: "ln",
  log: "log",
  lg: "lg",
  exp: "exp",
  gcd: "gcd",
  lcm: "lcm",
  max: "max",
  min: "min",
  det: "det",
  abs: "abs",
  floor: "floor",
  ceil: "ceil",
};

/** The inverse of a function, for `\sin^{-1}`. */
export const INVERSES: Readonly<Record<string, string>> = {
  sin: "asin",
  cos: "acos",
  tan: "atan",
  cot: "acot",
  sinh: "asinh",
  cosh: "acosh",
  tanh: "atanh",
};

/** Words in plain text that are commands in LaTeX. */
export const PLAIN_COMMANDS: Readonly<Record<string, string>> = {
  pi: "pi",
  sqrt: "surd",
  cbrt: "cbrt",
  infinity: "infty",
  inf: "infty",
  oo: "infty",
  theta: "theta",
  alpha: "alpha",
  beta: "beta",
  gamma: "gamma",
  lambda: "lambda",
  binom: "binom",
  mod: "bmod",
};

/** Commands that are letters. */
export const GREEK = new Set(
  "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho varrho sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma Upsilon Phi Psi Omega ell hbar aleph".split(
    " ",
  ),
);

export const RELATIONS: Readonly<Record<string, string>> = {
  "=": "=",
  "==": "=",
  ":=": "=",
  "<": "<",
  ">": ">",
  "<=": "<=",
  ">=": ">=",
  "=<": "<=",
  "=>": ">=",
  "!=": "!=",
  "<>": "!=",
  le: "<=",
  leq: "<=",
  leqslant: "<=",
  leqq: "<=",
  ge: ">=",
  geq: ">=",
  geqslant: ">=",
  geqq: ">=",
  lt: "<",
  gt: ">",
  ne: "!=",
  neq: "!=",
  approx: "~",
  simeq: "~",
  thickapprox: "~",
  doteq: "~",
  in: "in",
  notin: "notin",
  subset: "subset",
  subseteq: "subset",
  equiv: "equiv",
  cong: "equiv",
  sim: "sim",
  to: "to",
  rightarrow: "to",
  mapsto: "to",
  mid: "mid",
  parallel: "parallel",
  perp: "perp",
  propto: "propto",
  coloneqq: "=",
  triangleq: "=",
  eq: "=",
};

/** Commands that set type and mean nothing. */
export const IGNORED = new Set(
  "left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr displaystyle textstyle scriptstyle limits nolimits rm bf it mathstrut strut hfill noindent centering large Large small hspace vspace null".split(
    " ",
  ),
);

/** Commands whose braces hold words. */
export const TEXT_COMMANDS = new Set(
  "text textrm textbf textit textsf texttt textnormal textup textsc mbox hbox mathrm mathsf mathtt operatorname emph textmd mathop".split(
    " ",
  ),
);

/** Commands whose braces hold mathematics that is only shown in another way. */
export const TRANSPARENT = new Set(
  "boxed fbox mathbf mathit boldsymbol bm pmb underline mathcal ensuremath mathnormal displaylines smash".split(" "),
);

/** Marks over a letter: part of its name. */
export const ACCENTS = new Set(
  "vec overrightarrow hat widehat bar overline tilde widetilde dot ddot mathscr mathfrak".split(" "),
);

/** Words for bases of number systems. */
export const BASE_WORDS: Readonly<Record<string, number>> = {
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  twelve: 12,
  sixteen: 16,
};

export const PERCENT_WORDS = new Set(["percent", "pct", "percents", "percentage"]);
