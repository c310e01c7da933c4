"""The words of reviews: our own invention, in Portuguese as customers type it.

What belongs here: titles and messages for a score. What does not: who writes one, and when (`reviews`).
A message is one to three sentences, joined as people join them: with a full stop, a comma, nothing, or a line
break; some quote the shop, some shout, some leave a blank at the end.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from olist_pipeline.synthetic.draw import Flags, Ints, Stream, Words, below, chance, choose, cumulated, second

_THINGS = (
    "o relógio",
    "a mochila",
    "o tapete",
    "a cadeira",
    "o fone",
    "o perfume",
    "a luminária",
    "o tênis",
    "o livro",
    "a panela",
    "o teclado",
    "a bicicleta",
    "o berço",
    "a furadeira",
    "o jogo de lençóis",
    "a cafeteira",
)

_BAD = (
    "Até agora não recebi {thing}",
    "Comprei duas unidades e veio só uma",
    "O pacote chegou aberto e amassado",
    "Veio com defeito e não liga",
    "Ninguém responde minhas mensagens",
    "Quero meu dinheiro de volta",
    "A cor não é a do anúncio",
    "No anúncio dizia original, mas não é",
    "Atrasou muito e não avisaram",
    "O rastreamento parou há vários dias",
    "Péssima experiência, não compro mais",
    "Pedi {thing} e mandaram outra coisa",
    "Faltou a nota fiscal",
    "Cancelaram sem explicar o motivo",
    "O tamanho está errado vou devolver",
    "Paguei o frete mais caro e demorou do mesmo jeito",
    "Material fraco, quebrou no primeiro uso",
    "Estou aguardando retorno da loja",
)
_FAIR = (
    "{thing} é razoável pelo preço",
    "Chegou no prazo, mas a caixa veio amassada",
    "Esperava um acabamento melhor",
    "Não é ruim só demorou um pouco",
    "Veio diferente da foto, porém funciona",
    "Recebi apenas parte do pedido",
    "O manual está em outro idioma",
    "Ainda não testei {thing}",
    "Entrega boa, produto mais ou menos",
    "Faltaram dois parafusos na montagem",
    "O vendedor respondeu, mas não resolveu tudo",
    "Cumpre o que promete, nada além",
)
_GOOD = (
    "Gostei muito {thing} é ótimo",
    "Chegou antes do prazo",
    "Tudo certo com a entrega",
    "Produto bem embalado e conforme a descrição",
    "Recomendo a loja para todos",
    "Minha mãe adorou {thing}",
    "Entrega rápida, parabéns",
    "Ótimo custo-benefício",
    "Superou o que eu esperava",
    "Já é a segunda compra e sempre perfeito",
    "A loja é nota dez",
    "Muito bonito, igual ao da foto",
    "Vendedor atencioso e honesto",
    "Funciona muito bem obrigado",
    "Comprarei outras vezes",
    "Veio tudo direitinho",
    "Excelente qualidade",
    "Fácil de montar amei",
)
_BAD_TITLES = ("Não recebi", "Péssimo", "Decepcionado", "Produto errado", "Não recomendo", "Atraso", "Defeito, troca")
_FAIR_TITLES = ("Regular", "Mais ou menos", "Poderia ser melhor", "Razoável ", "Bom, com ressalvas", "6")
_GOOD_TITLES = ("Ótimo", "Recomendo", "Muito bom", "Perfeito!", "Excelente ", "super recomendo", "10", "Amei, amei")

_ENDS = pl.Series([".", "", "!", " ", "..."])
_JOINTS = pl.Series([". ", ", ", " ", "! ", "\r\n", "\r\n\r\n", " e "])
_JOINT_TOTALS = cumulated((54, 8, 16, 6, 7, 1, 12))
_END_TOTALS = cumulated((40, 30, 8, 18, 4))
_MORE_SENTENCES = (cumulated((8, 27, 65)), cumulated((15, 45, 40)), cumulated((44, 38, 18)))
"""By tone, messages with no, one and two sentences after the first."""
_SHOUTED = (3, 100)
_QUOTED = (4, 1000)

_TONE_OF_SCORE = np.array([0, 0, 1, 2, 2], dtype=np.int64)


class _Phrases:
    """Phrases by tone (bad, fair, good), each once for every thing that it may speak of."""

    def __init__(self, *tones: tuple[str, ...]) -> None:
        self.texts = pl.Series(
            [phrase.replace("{thing}", thing) for tone in tones for phrase in tone for thing in _THINGS]
        )
        self.size = np.array([len(tone) for tone in tones], dtype=np.int64)
        self.first = np.cumsum(self.size) - self.size


_TONES = _Phrases(_BAD, _FAIR, _GOOD)
_TITLE_TONES = _Phrases(_BAD_TITLES, _FAIR_TITLES, _GOOD_TITLES)


def titles(score: Ints, written: Flags, stream: Stream) -> pl.Series:
    """A title for each score (0 is one star), missing where none is written."""
    return _where(written, _phrase(stream.words(len(score)), _TONE_OF_SCORE[score], _TITLE_TONES))


def messages(score: Ints, written: Flags, stream: Stream) -> pl.Series:
    """A message for each score (0 is one star), missing where none is written."""
    row = np.flatnonzero(written)
    text = _texts(_TONE_OF_SCORE[score[row]], stream)
    place = pl.Series(np.cumsum(written) - 1)
    return text.gather(pl.select(pl.when(pl.Series(written)).then(place)).to_series())


def _texts(tone: Ints, stream: Stream) -> pl.Series:
    count = len(tone)
    drawn = [choose(stream.words(count), totals) for totals in _MORE_SENTENCES]
    more_sentences = np.asarray(np.choose(tone, drawn), dtype=np.int64)
    parts = [_phrase(stream.words(count), tone, _TONES)]
    for sentence in (1, 2):
        joint = _JOINTS.gather(choose(stream.words(count), _JOINT_TOTALS))
        more = _phrase(stream.words(count), tone, _TONES)
        parts += [_where(more_sentences >= sentence, part).fill_null("") for part in (joint, more)]
    parts.append(_ENDS.gather(choose(stream.words(count), _END_TOTALS)))
    frame = pl.DataFrame({str(number): part for number, part in enumerate(parts)})
    text = frame.select(pl.concat_str(pl.all())).to_series()
    shouted = pl.Series(chance(stream.words(count), *_SHOUTED))
    quoted = pl.Series(chance(stream.words(count), *_QUOTED))
    return pl.select(
        pl.when(shouted).then(text.str.to_uppercase()).when(quoted).then(pl.format('"{}"', text)).otherwise(text)
    ).to_series()


def _phrase(words: Words, tone: Ints, phrases: _Phrases) -> pl.Series:
    number = phrases.first[tone] + below(words, phrases.size[tone])
    return phrases.texts.gather(number * len(_THINGS) + below(second(words), len(_THINGS)))


def _where(there: Flags, text: pl.Series) -> pl.Series:
    return pl.select(pl.when(pl.Series(there)).then(text)).to_series()
