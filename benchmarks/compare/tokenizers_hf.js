// usage: node tokenizers_hf.js KIND VOCABULARY TEXTS OUT: prints the seconds of processor time of the fastest of three
// passes over the texts, and writes their ids and offsets.
const tokenizers = require("tokenizers"), fs = require("fs");
const [kind, vocabulary, textsFile, outFile] = process.argv.slice(2);
const lines = (name) => fs.readFileSync(name, "utf8").replace(/\n$/, "").split("\n");

const make = {
    wordpiece() {
        const ids = {};
        lines(vocabulary).forEach((token, id) => (ids[token] = id));
        const t = new tokenizers.Tokenizer(tokenizers.WordPiece.init(ids, { unkToken: "[UNK]", maxInputCharsPerWord: 100 }));
        t.setNormalizer(tokenizers.bertNormalizer());
        t.setPreTokenizer(tokenizers.bertPreTokenizer());
        t.addSpecialTokens(["[UNK]", "[SEP]", "[CLS]", "[PAD]", "[MASK]"]);
        t.setPostProcessor(tokenizers.bertProcessing(["[SEP]", ids["[SEP]"]], ["[CLS]", ids["[CLS]"]]));
        return t;
    },
    async bpe() {
        const t = new tokenizers.Tokenizer(await tokenizers.BPE.fromFile(vocabulary + ".json", vocabulary + ".merges"));
        t.setPreTokenizer(tokenizers.byteLevelPreTokenizer(false));
        return t;
    },
};

(async () => {
    const t = await make[kind](), texts = lines(textsFile);
    let least = Infinity, encodings;
    for (let pass = 0; pass < 3; ++pass) {
        const start = process.cpuUsage();
        encodings = await t.encodeBatch(texts);
        const used = process.cpuUsage(start);
        least = Math.min(least, (used.user + used.system) / 1e6);
    }
    fs.writeFileSync(outFile, encodings.map((e) => e.getIds().join(" ") + "\t" + e.getOffsets().map(([a, b]) => a + "-" + b).join(" ") + "\n").join(""));
    console.log(least.toFixed(6));
})();
