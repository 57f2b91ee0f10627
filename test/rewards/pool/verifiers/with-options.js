// Plain JavaScript, made from options.
export default {
  name: "shortest",
  create: ({ limit }) => ({
    name: "shortest",
    score: ({ text }) => ({
      outcome: text.length <= limit ? "correct" : "wrong",
      score: text.length <= limit ? 1 : 0,
      reason: `${text.length}`,
    }),
  }),
};
