"""Product categories: our own list, in the style of the real one.

What belongs here: names in Portuguese with their English translation, and how many products each has. What does
not: products (`catalogue`). As in the real set there are 71 translated categories, of very unequal size, and a
few that the translation forgot.
"""

from __future__ import annotations

from typing import NamedTuple


class Category(NamedTuple):
    """A category with its weight among products and its prices as a percentage of all prices."""

    name: str
    english: str
    products: int
    price: int


CATEGORIES = (
    Category("casa_e_banho", "home_and_bath", 3029, 85),
    Category("esporte_e_lazer", "sports_and_leisure", 2867, 90),
    Category("decoracao", "decoration", 2657, 80),
    Category("saude_e_beleza", "health_and_beauty", 2444, 100),
    Category("utensilios_domesticos", "household_utensils", 2335, 75),
    Category("automotivo", "automotive", 1900, 105),
    Category("acessorios_de_informatica", "computer_accessories", 1639, 95),
    Category("brinquedos", "toys", 1411, 95),
    Category("relogios", "watches", 1329, 155),
    Category("celulares", "mobile_phones", 1134, 60),
    Category("bebes", "baby", 919, 100),
    Category("perfumaria", "perfumery", 868, 95),
    Category("papelaria", "stationery", 849, 75),
    Category("bolsas_e_mochilas", "bags_and_backpacks", 849, 65),
    Category("presentes_criativos", "creative_gifts", 789, 130),
    Category("jardinagem", "gardening", 753, 80),
    Category("artigos_para_animais", "pet_supplies", 719, 95),
    Category("eletronicos", "electronics", 517, 50),
    Category("materiais_de_construcao", "building_materials", 400, 110),
    Category("eletrodomesticos", "home_appliances", 370, 85),
    Category("malas_de_viagem", "travel_luggage", 349, 110),
    Category("jogos_e_consoles", "games_and_consoles", 317, 100),
    Category("moveis_para_escritorio", "office_furniture", 309, 140),
    Category("instrumentos_musicais", "musical_instruments", 289, 150),
    Category("pequenos_eletrodomesticos", "small_appliances", 231, 160),
    Category("reforma_da_casa", "home_improvement", 225, 110),
    Category("livros_gerais", "general_books", 216, 60),
    Category("calcados", "footwear", 173, 75),
    Category("moveis_para_sala", "living_room_furniture", 156, 120),
    Category("ventilacao_e_ar", "air_treatment", 124, 150),
    Category("livros_profissionais", "professional_books", 123, 65),
    Category("telefones_fixos", "landline_phones", 116, 130),
    Category("conforto_da_casa", "home_comfort", 111, 105),
    Category("mercearia", "groceries", 104, 50),
    Category("variedades", "miscellaneous", 104, 75),
    Category("moda_masculina", "mens_fashion", 95, 70),
    Category("moveis_para_cozinha", "kitchen_furniture", 94, 125),
    Category("sinalizacao", "signage", 93, 90),
    Category("seguranca_residencial", "home_security", 91, 135),
    Category("lavadoras_e_secadoras", "washers_and_dryers", 90, 250),
    Category("ferramentas_de_quintal", "yard_tools", 88, 75),
    Category("alimentos_naturais", "natural_foods", 82, 50),
    Category("bebidas_e_licores", "drinks_and_liqueurs", 81, 55),
    Category("iluminacao", "lighting", 78, 105),
    Category("agricultura", "agriculture", 74, 260),
    Category("suprimentos_industriais", "industrial_supplies", 68, 120),
    Category("enfeites_de_natal", "christmas_decorations", 65, 50),
    Category("som_e_audio", "sound_and_audio", 58, 110),
    Category("belas_artes", "fine_arts", 55, 100),
    Category("moda_praia", "beachwear", 53, 65),
    Category("filmes", "films", 48, 45),
    Category("moveis_para_quarto", "bedroom_furniture", 45, 170),
    Category("ferramentas_manuais", "hand_tools", 39, 80),
    Category("livros_estrangeiros", "foreign_books", 31, 65),
    Category("cafeteiras_e_fornos", "coffee_makers_and_ovens", 31, 480),
    Category("computadores", "computers", 30, 800),
    Category("fotografia", "photography", 28, 90),
    Category("discos_de_musica", "music_records", 27, 60),
    Category("moda_feminina", "womens_fashion", 27, 60),
    Category("artigos_para_festas", "party_supplies", 26, 65),
    Category("artesanato", "handicrafts", 19, 55),
    Category("roupas_esportivas", "sportswear", 19, 65),
    Category("flores_e_plantas", "flowers_and_plants", 14, 35),
    Category("higiene_infantil", "childrens_hygiene", 12, 45),
    Category("colchoes", "mattresses", 10, 110),
    Category("gastronomia", "gastronomy", 10, 140),
    Category("tablets_e_leitores", "tablets_and_readers", 9, 110),
    Category("moda_infantil", "childrens_fashion", 5, 70),
    Category("tapetes_e_cortinas", "rugs_and_curtains", 5, 40),
    Category("servicos_e_garantias", "services_and_warranties", 2, 140),
    Category("colecionaveis", "collectibles", 1, 65),
)

UNTRANSLATED = ("pecas_para_jogadores", "preparo_de_alimentos_portatil")
"""Categories of products that the translation file lacks."""
